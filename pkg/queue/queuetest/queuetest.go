// Package queuetest checks that an engine keeps what package queue promises.
package queuetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
)

// patience is how long a test waits for messages: engines behind a network are slow, and put a message back
// for some seconds.
const patience = 2 * time.Minute

// Run checks an engine. open starts an empty queue that calls the handler, with at least four workers, and
// ends it in t.Cleanup.
func Run(t *testing.T, open func(t *testing.T, handler queue.Handler) queue.Sender) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender)
	}{
		{"messages arrive as they were sent", testWhole},
		{"a group is in order, one at a time", testOrder},
		{"groups run in parallel", testParallel},
		{"a failed message comes again, before later ones", testAgain},
		{"a group in trouble holds up no other", testTrouble},
		{"many senders", testSenders},
		{"an ended context sends nothing", testEnded},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

func testWhole(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	got := newInbox()
	sender := open(t, got.handle)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	sent := []queue.Message{
		{Group: "123456", ID: "a-1", Body: []byte(`{"reason":"tick"}`)},
		{Group: "credential:9f86d081", ID: "b", Body: every},
		{Group: "7", ID: "c", Body: bytes.Repeat([]byte("0123456789"), 1000)},
		{Group: "8", ID: "d", Body: []byte{}},
	}
	for _, m := range sent {
		mustSend(t, sender, m)
	}
	arrived := got.wait(t, len(sent))
	for _, m := range sent {
		if !slices.ContainsFunc(arrived, func(a queue.Message) bool {
			return a.Group == m.Group && a.ID == m.ID && bytes.Equal(a.Body, m.Body)
		}) {
			t.Errorf("message %s of group %s did not arrive as it was sent", m.ID, m.Group)
		}
	}
}

func testOrder(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	const groups, each = 5, 20
	var mu sync.Mutex
	running := map[string]int{}
	got := newInbox()
	sender := open(t, func(ctx context.Context, m queue.Message) error {
		mu.Lock()
		if running[m.Group]++; running[m.Group] > 1 {
			t.Errorf("group %s is handled twice at once", m.Group)
		}
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		running[m.Group]--
		mu.Unlock()
		return got.handle(ctx, m)
	})
	for i := range each {
		for g := range groups {
			mustSend(t, sender, message(g, i))
		}
	}
	arrived := got.wait(t, groups*each)
	for g := range groups {
		checkOrder(t, arrived, g, each)
	}
}

func testParallel(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	const groups = 3
	var met sync.WaitGroup
	met.Add(groups)
	got := newInbox()
	sender := open(t, func(ctx context.Context, m queue.Message) error {
		met.Done()
		met.Wait() // returns once all groups are being handled
		return got.handle(ctx, m)
	})
	for g := range groups {
		mustSend(t, sender, message(g, 0))
	}
	got.wait(t, groups)
}

func testAgain(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	got := newInbox()
	var mu sync.Mutex
	failures := 2
	sender := open(t, func(ctx context.Context, m queue.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if failures > 0 {
			failures--
			if want := message(0, 0).ID; m.ID != want {
				t.Errorf("message %s was handled before %s came again", m.ID, want)
			}
			return errors.New("failed on purpose")
		}
		return got.handle(ctx, m)
	})
	for i := range 3 {
		mustSend(t, sender, message(0, i))
	}
	checkOrder(t, got.wait(t, 3), 0, 3)
}

func testTrouble(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	got := newInbox()
	sender := open(t, func(ctx context.Context, m queue.Message) error {
		if m.Group == message(0, 0).Group {
			return errors.New("failed on purpose")
		}
		return got.handle(ctx, m)
	})
	for i := range 3 {
		mustSend(t, sender, message(0, i))
		mustSend(t, sender, message(1, i))
	}
	checkOrder(t, got.wait(t, 3), 1, 3)
}

func testSenders(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	const senders, each = 8, 10
	got := newInbox()
	sender := open(t, got.handle)
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range each {
				if err := sender.Send(t.Context(), message(s, i)); err != nil {
					t.Errorf("Send: %v", err)
				}
			}
		})
	}
	all.Wait()
	arrived := got.wait(t, senders*each)
	for s := range senders {
		checkOrder(t, arrived, s, each)
	}
}

func testEnded(t *testing.T, open func(*testing.T, queue.Handler) queue.Sender) {
	got := newInbox()
	sender := open(t, got.handle)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sender.Send(ctx, message(0, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Send with an ended context: %v, want context.Canceled", err)
	}
	mustSend(t, sender, message(0, 1))
	if arrived := got.wait(t, 1); arrived[0].ID != message(0, 1).ID {
		t.Errorf("message %s arrived, whose Send failed", arrived[0].ID)
	}
}

func message(group, number int) queue.Message {
	return queue.Message{
		Group: fmt.Sprintf("group-%d", group),
		ID:    fmt.Sprintf("message-%d-%d", group, number),
		Body:  fmt.Appendf(nil, "%d", number),
	}
}

func mustSend(t *testing.T, sender queue.Sender, m queue.Message) {
	t.Helper()
	if err := sender.Send(t.Context(), m); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

// checkOrder checks that a group's messages arrived in order, all of them.
func checkOrder(t *testing.T, arrived []queue.Message, group, n int) {
	t.Helper()
	next := 0
	for _, m := range arrived {
		if m.Group != message(group, 0).Group {
			continue
		}
		if want := message(group, next); m.ID != want.ID || !bytes.Equal(m.Body, want.Body) {
			t.Errorf("message %s arrived, want %s", m.ID, want.ID)
		}
		next++
	}
	if next != n {
		t.Errorf("%d messages of group %d arrived, want %d", next, group, n)
	}
}

// inbox collects messages, each once.
type inbox struct {
	mu       sync.Mutex
	seen     map[string]bool
	messages []queue.Message
	arrived  chan struct{}
}

func newInbox() *inbox {
	return &inbox{seen: map[string]bool{}, arrived: make(chan struct{}, 1000)}
}

func (b *inbox) handle(_ context.Context, m queue.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[m.ID] {
		return nil // at least once: a double is allowed
	}
	b.seen[m.ID] = true
	m.Body = bytes.Clone(m.Body)
	b.messages = append(b.messages, m)
	b.arrived <- struct{}{}
	return nil
}

// wait returns the messages once n have arrived.
func (b *inbox) wait(t *testing.T, n int) []queue.Message {
	t.Helper()
	deadline := time.After(patience)
	for i := range n {
		select {
		case <-b.arrived:
		case <-deadline:
			t.Fatalf("%d of %d messages arrived within %s", i, n, patience)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}
