package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// TestIncrementsOverBadConnections has several processes increment a number, over connections that lose a tenth of
// their requests and a tenth of the answers. Each increment leaves its name, so that it shows which of them were done:
// those that returned nil, once, and none that returned store.ErrConflict.
func TestIncrementsOverBadConnections(t *testing.T) {
	e := start(t)
	t.Run("puts", func(t *testing.T) {
		newCounter(t, e, false).run(t, e)
	})
	t.Run("transactions", func(t *testing.T) {
		e.needTokens(t)
		newCounter(t, e, true).run(t, e)
	})
}

// counter is an item that holds the names of the increments that were done.
type counter struct {
	key    store.Key
	beside bool // increment in a transaction, with an item beside it

	mu       sync.Mutex
	outcomes map[string]error // of the increments that were tried
}

func newCounter(t *testing.T, e engine, beside bool) *counter {
	t.Helper()
	c := &counter{key: store.Key{Partition: newPartition(), Sort: "counter"}, beside: beside, outcomes: map[string]error{}}
	if err := e.table().Put(t.Context(), store.Write{Key: c.key, If: store.Absent()}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *counter) run(t *testing.T, e engine) {
	t.Helper()
	var wg sync.WaitGroup
	cut := 0
	for i := range 8 {
		connection := &flaky{next: e.transport, share: 0.2, rng: mathrand.New(mathrand.NewPCG(7, uint64(i)))}
		table := e.through(connection)
		wg.Go(func() {
			for n := range 40 {
				c.increment(t.Context(), table, fmt.Sprintf("%d-%d", i, n))
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			cut += connection.cut
		})
	}
	wg.Wait()
	item, err := e.table().Get(t.Context(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests or answers were lost", cut)
	c.check(t, item)
}

// increment tries once.
func (c *counter) increment(ctx context.Context, table store.Table, name string) {
	item, err := table.Get(ctx, c.key)
	if err != nil {
		return
	}
	writes := []store.Write{{Key: c.key, Data: fmt.Append(item.Data, " ", name), If: store.AtVersion(item.Version)}}
	if c.beside {
		key := store.Key{Partition: c.key.Partition, Sort: "beside"}
		writes = append(writes, store.Write{Key: key, Data: writes[0].Data, If: store.Always()})
	}
	err = table.Transact(ctx, writes)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcomes[name] = err
}

// check compares what was done with what was said of it.
func (c *counter) check(t *testing.T, item store.Item) {
	t.Helper()
	done := strings.Fields(string(item.Data))
	if item.Version != int64(1+len(done)) {
		t.Errorf("%d increments led to version %d", len(done), item.Version)
	}
	var succeeded, conflicts, open int
	for name, err := range c.outcomes {
		times := 0
		for _, d := range done {
			if d == name {
				times++
			}
		}
		switch {
		case err == nil:
			if succeeded++; times != 1 {
				t.Errorf("an increment that returned nil was done %d times", times)
			}
		case errors.Is(err, store.ErrConflict):
			if conflicts++; times != 0 {
				t.Errorf("an increment that met a conflict was done %d times", times)
			}
		default:
			if open += times; times > 1 {
				t.Errorf("an increment was done %d times", times)
			}
		}
	}
	if succeeded+open != len(done) {
		t.Errorf("the number is %d after %d increments that returned nil and %d that left it open", len(done), succeeded, open)
	}
	t.Logf("of %d increments %d succeeded, %d met a conflict, %d were done and left it open", len(c.outcomes), succeeded, conflicts, open)
	if succeeded < 40 || conflicts < 40 {
		t.Error("too few of either to prove anything")
	}
}
