package secretsmanager_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
)

var histories = flag.Int("histories", 8, "how many random histories of one secret to try")

// The numbers of a history.
const (
	writers = 3  // at a time
	calls   = 40 // of all writers together
)

// TestHistories lets several writers replace, adopt and read one secret, request by request in random order, with
// cut requests, lost answers and writers that stop for good, and compares what each was told with what was current.
func TestHistories(t *testing.T) {
	conf := awstest.Config(t)
	for seed := range uint64(*histories) {
		h := &history{T: t, rand: rand.New(rand.NewPCG(seed, 7)), conf: conf, clean: secretsmanager.New(conf)}
		h.name = create(t, conf, newValue())
		h.look()
		h.run()
		if t.Failed() {
			t.Fatalf("in the history of seed %d", seed)
		}
	}
}

// history is what happened to a secret so far.
type history struct {
	*testing.T
	rand    *rand.Rand
	conf    aws.Config
	clean   vault.Vault
	name    string
	current []vault.Secret // what was current, one after the other
	written []*call        // those whose values were put, in order
	never   []*call        // that were told that their value never became current
}

// look notes what is current now.
func (h *history) look() {
	now := mustGet(h.T, h.clean, h.name)
	if n := len(h.current); n == 0 || h.current[n-1].Version != now.Version {
		h.current = append(h.current, now)
	}
}

func (h *history) run() {
	var running []*call
	for begun := 0; begun < calls || len(running) > 0; {
		if begun < calls && len(running) < writers {
			begun++
			running = append(running, h.begin())
		}
		i := h.rand.IntN(len(running))
		if c := running[i]; c.asked != "" {
			h.step(c)
		} else {
			h.check(c)
			running = slices.Delete(running, i, i+1)
		}
	}
	h.checkAll()
}

// begin begins a call, mostly of a writer that knows what is current.
func (h *history) begin() *call {
	c := &call{
		what: []string{"Get", "Adopt", "Adopt", "Replace", "Replace", "Replace"}[h.rand.IntN(6)], value: newValue(),
		from: len(h.current) - 1, written: len(h.written), attempts: 1 + 2*h.rand.IntN(2),
		asks: make(chan string), turn: make(chan fate),
	}
	c.old = h.current[max(0, c.from-max(0, h.rand.IntN(6)-3))].Version
	v := secretsmanager.New(onWire(h.conf, &wire{before: c.before, after: c.after}, c.attempts))
	go func() {
		defer close(c.asks)
		c.do(h.Context(), v, h.name)
	}()
	c.asked = <-c.asks
	return c
}

// step lets a call do the request that it asked for, up to where it asks for the next one.
func (h *history) step(c *call) {
	f := passes
	if h.rand.IntN(5) == 0 {
		f = fate(h.rand.IntN(int(fates)))
	}
	if f == lost && c.asked == actionPut && c.attempts > 1 {
		f = passes // there is an emulator that takes a version's labels when it is put again
	}
	if c.asked == actionPut && (f == passes || f == lost || f == diesAfter) {
		h.written = append(h.written, c)
	}
	c.faulty = c.faulty || f != passes
	c.turn <- f
	c.asked = <-c.asks
	h.look()
}

// check compares what a call was told with what was current meanwhile.
func (h *history) check(c *call) {
	h.Helper()
	meanwhile := h.current[c.from:]
	changed := slices.ContainsFunc(meanwhile, func(s vault.Secret) bool { return s.Version != c.old })
	switch {
	case c.err == nil && c.what == "Get":
		if !slices.ContainsFunc(meanwhile, func(s vault.Secret) bool { return same(s, c.got) }) {
			h.Errorf("Get returned %v, which was not current meanwhile", c.got)
		}
	case c.err == nil:
		i := slices.IndexFunc(h.current, func(s vault.Secret) bool { return same(s, c.got) })
		if i < 1 || h.current[i-1].Version != c.old {
			h.Errorf("%s returned %v, which never came after version %q", c.what, c.got, c.old)
		}
	case errors.Is(c.err, vault.ErrConflict):
		if !changed {
			h.Errorf("%s: %v, while only version %q was current", c.what, c.err, c.old)
		}
		h.never = append(h.never, c)
	case errors.Is(c.err, vault.ErrNotFound):
		if c.what != "Adopt" || !changed && h.waits(c) {
			h.Errorf("%s: %v", c.what, c.err)
		}
	case !c.faulty && len(meanwhile) < 3:
		h.Errorf("%s: %v", c.what, c.err)
	}
}

func same(a, b vault.Secret) bool {
	return a.Version == b.Version && string(a.Value) == string(b.Value)
}

// waits reports whether a value was waiting all the time that an Adopt took: the last one that was put.
func (h *history) waits(c *call) bool {
	return c.written > 0 && c.written == len(h.written) && h.written[c.written-1].old == c.old
}

// checkAll checks the chain of what was current: each version was put once, to replace the one before it.
func (h *history) checkAll() {
	h.Helper()
	seen := map[string]bool{h.current[0].Version: true}
	for i, now := range h.current[1:] {
		writer := slices.IndexFunc(h.written, func(c *call) bool { return string(c.value) == string(now.Value) })
		if writer < 0 || h.written[writer].old != h.current[i].Version || seen[now.Version] {
			h.Errorf("%v came after %v: nobody wrote that, or it comes twice", now, h.current[i])
		}
		seen[now.Version] = true
	}
	for _, c := range h.never {
		if slices.ContainsFunc(h.current, func(s vault.Secret) bool { return string(s.Value) == string(c.value) }) {
			h.Errorf("%s said %v, and its value was current", c.what, c.err)
		}
	}
	h.Logf("%d values were put, %d became current", len(h.written), len(h.current)-1)
}
