package secretsmanager_test

import (
	"context"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// fate is what happens to a request.
type fate int

// The fates.
const (
	passes    fate = iota
	cut            // it is not sent
	lost           // it is done, and its answer lost
	dies           // it is not sent, and the writer stops for good
	diesAfter      // it is done, and the writer stops for good
	fates
)

// call is one of Get, Replace or Adopt, in a goroutine that asks before each request.
type call struct {
	what     string
	old      string
	value    []byte
	attempts int
	from     int // what was current when it began: an index of history.current
	written  int // how many values had been put when it began
	faulty   bool
	asked    string // the request that it waits for, none if it has ended

	got vault.Secret // once it has ended
	err error

	asks chan string
	turn chan fate
	fate fate // of the request under way; or the writer's
}

func (c *call) do(ctx context.Context, v vault.Vault, name string) {
	switch c.what {
	case "Get":
		c.got, c.err = v.Get(ctx, name)
	case "Adopt":
		c.got, c.err = v.Adopt(ctx, name, c.old)
	case "Replace":
		c.got.Value = c.value
		c.got.Version, c.err = v.Replace(ctx, name, c.old, c.value)
	}
}

// before waits for its turn.
func (c *call) before(action string) error {
	if c.fate == dies || c.fate == diesAfter {
		return awstest.ErrCut
	}
	c.asks <- action
	if c.fate = <-c.turn; c.fate == cut || c.fate == dies {
		return awstest.ErrCut
	}
	return nil
}

func (c *call) after(string) error {
	if c.fate == lost || c.fate == diesAfter {
		return awstest.ErrCut
	}
	return nil
}
