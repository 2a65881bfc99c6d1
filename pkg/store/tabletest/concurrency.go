package tabletest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

const (
	workers = 8
	rounds  = 10 // of each worker
)

// together runs work in as many goroutines as there are workers, and waits for them.
func together(work func(worker int)) {
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { work(i) })
	}
	wg.Wait()
}

func number(item store.Item) int {
	n, err := strconv.Atoi(string(item.Data))
	if err != nil {
		return -1
	}
	return n
}

// untilDone repeats a compare-and-set until no other one came between.
func untilDone(t *testing.T, try func(context.Context) error) bool {
	for {
		err := try(t.Context())
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		return err == nil
	}
}

// testCounter increments one number: by compare-and-set no increment is lost.
func testCounter(t *testing.T, table store.Table) {
	key := newKey()
	put(t, table, text(key, "0", store.Absent()))
	together(func(int) {
		for range rounds {
			done := untilDone(t, func(ctx context.Context) error {
				item, err := table.Get(ctx, key)
				if err != nil {
					return err
				}
				return table.Put(ctx, text(key, strconv.Itoa(number(item)+1), store.AtVersion(item.Version)))
			})
			if !done {
				return
			}
		}
	})
	wantItem(t, table, key, strconv.Itoa(workers*rounds), 1+workers*rounds)
}

// testTransfers moves units between numbers, two in a transaction: their sum stays.
func testTransfers(t *testing.T, table store.Table) {
	const pots, each = 4, 1000
	p := partition()
	pot := func(i int) store.Key { return store.Key{Partition: p, Sort: strconv.Itoa(i % pots)} }
	for i := range pots {
		put(t, table, text(pot(i), strconv.Itoa(each), store.Absent()))
	}
	together(func(worker int) {
		for round := range rounds {
			from, to := pot(worker+round), pot(worker+2*round+1)
			if from == to {
				to = pot(worker + round + 1)
			}
			if !untilDone(t, func(ctx context.Context) error { return transfer(ctx, table, from, to, worker+1) }) {
				return
			}
		}
	})
	sum := 0
	versions := int64(0)
	for _, item := range query(t, table, p, store.Range{}) {
		sum += number(item)
		versions += item.Version - 1
	}
	if sum != pots*each || versions != 2*workers*rounds {
		t.Errorf("after %d transfers: sum %d, %d writes; want %d, %d", workers*rounds, sum, versions, pots*each, 2*workers*rounds)
	}
}

func transfer(ctx context.Context, table store.Table, from, to store.Key, n int) error {
	a, err := table.Get(ctx, from)
	if err != nil {
		return err
	}
	b, err := table.Get(ctx, to)
	if err != nil {
		return err
	}
	return table.Transact(ctx, []store.Write{
		text(from, strconv.Itoa(number(a)-n), store.AtVersion(a.Version)),
		text(to, strconv.Itoa(number(b)+n), store.AtVersion(b.Version)),
	})
}

// testReaders writes one number to several items in a transaction. Whoever has read a number in one of them
// finds none that is older in any other that is read later: that is what a snapshot rests on, and what an
// engine can promise whose queries are no transactions.
func testReaders(t *testing.T, table store.Table) {
	const items, writes = 5, 40
	p := partition()
	key := func(i int) store.Key { return store.Key{Partition: p, Sort: strconv.Itoa(i)} }
	var done atomic.Bool
	writer := func() {
		defer done.Store(true)
		for n := range writes {
			var tx []store.Write
			for i := range items {
				tx = append(tx, text(key(i), strconv.Itoa(n), store.AtVersion(int64(n))))
			}
			if err := table.Transact(t.Context(), tx); err != nil {
				t.Errorf("transaction %d: %v", n, err)
				return
			}
		}
	}
	together(func(worker int) {
		if worker == 0 {
			writer()
			return
		}
		for round := worker; !done.Load(); round++ {
			if err := readInOrder(t.Context(), table, key(round%items), key((round+1)%items)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, item := range query(t, table, p, store.Range{}) {
		if number(item) != writes-1 || item.Version != writes {
			t.Errorf("in the end item %s is %s at version %d", item.Key.Sort, item.Data, item.Version)
		}
	}
}

// readInOrder reads the first key, then the second one, then all, and checks that nothing becomes older.
func readInOrder(ctx context.Context, table store.Table, first, second store.Key) error {
	a, err := table.Get(ctx, first)
	if errors.Is(err, store.ErrNotFound) {
		return nil // not begun
	}
	if err != nil {
		return err
	}
	b, err := table.Get(ctx, second)
	if err != nil {
		return fmt.Errorf("item %s is there, and of the same transaction %s: %w", first.Sort, second.Sort, err)
	}
	if number(b) < number(a) || b.Version != int64(number(b)+1) {
		return fmt.Errorf("read %s, and later %s of the same transactions is %s at version %d", a.Data, second.Sort, b.Data, b.Version)
	}
	all, err := table.Query(ctx, first.Partition, store.Range{})
	if err != nil {
		return err
	}
	for _, item := range all {
		if number(item) < number(b) {
			return fmt.Errorf("read %s, and later a query shows %s in %s", b.Data, item.Data, item.Key.Sort)
		}
	}
	return nil
}

// testRace has all workers do the same at once: one of them makes it.
func testRace(t *testing.T, table store.Table) {
	for round := range rounds {
		key := newKey()
		beside := store.Key{Partition: key.Partition, Sort: "beside"}
		var made atomic.Int32
		var winner atomic.Int64
		together(func(worker int) {
			err := table.Transact(t.Context(), []store.Write{
				text(key, strconv.Itoa(worker), store.Absent()),
				text(beside, strconv.Itoa(worker), store.Always()),
			})
			switch {
			case err == nil:
				made.Add(1)
				winner.Store(int64(worker))
			case !errors.Is(err, store.ErrConflict):
				t.Error(err)
			}
		})
		if made.Load() != 1 {
			t.Fatalf("round %d: %d of %d made it, want 1", round, made.Load(), workers)
		}
		wantItem(t, table, key, strconv.FormatInt(winner.Load(), 10), 1)
		wantItem(t, table, beside, strconv.FormatInt(winner.Load(), 10), 0)
	}
}
