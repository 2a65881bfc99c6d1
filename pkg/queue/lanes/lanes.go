// Package lanes is a queue in memory: a lane for each group, and some workers that they share. What waits in
// it is lost when the process ends, so it is for messages that will be sent again, such as wake-ups.
package lanes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
)

// ErrClosed is returned by Send after Close.
var ErrClosed = errors.New("the queue is closed")

// ErrDropped is what onError gets when a message was given up and will not come again.
var ErrDropped = errors.New("given up")

// How often a message is tried, and how long it waits after the first failure. Each further wait is twice as
// long.
const (
	maxTries   = 5
	firstDelay = time.Second
)

// Lanes is a queue in memory. It is safe for concurrent use.
type Lanes struct {
	handler queue.Handler
	onError func(queue.Message, error)
	cancel  context.CancelFunc // ends the handlers' context
	workers sync.WaitGroup

	mu     sync.Mutex
	work   sync.Cond        // something in ready, or closed
	lanes  map[string]*lane // those with messages
	ready  []*lane          // those whose first message can be handled now, the longest waiting first
	closed bool
}

// lane holds the messages of a group. While its first message is handled, or waits after a failure, the lane
// is not ready, and belongs to the worker; others only add messages at its end.
type lane struct {
	messages []queue.Message
	tries    int // of the first message
}

// New starts a queue with so many workers (at least one) that call handler.
//
// When handler fails, the message waits a second, then two, four and eight, and its lane with it; after five
// tries it is dropped. onError, if not nil, is told of each failure before the lane goes on; errors.Is(err,
// ErrDropped) tells the last one. A panic of handler is not caught: it ends the process.
func New(handler queue.Handler, workers int, onError func(queue.Message, error)) *Lanes {
	if onError == nil {
		onError = func(queue.Message, error) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Lanes{handler: handler, onError: onError, cancel: cancel, lanes: map[string]*lane{}}
	l.work.L = &l.mu
	for range max(workers, 1) {
		l.workers.Go(func() { l.run(ctx) })
	}
	return l
}

// Send puts a message at the end of its lane. It never waits.
func (l *Lanes) Send(ctx context.Context, m queue.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.Body = bytes.Clone(m.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if waiting, ok := l.lanes[m.Group]; ok {
		waiting.messages = append(waiting.messages, m)
		return nil
	}
	fresh := &lane{messages: []queue.Message{m}}
	l.lanes[m.Group] = fresh
	l.enqueue(fresh)
	return nil
}

// Close takes no more messages, starts no more handlers, and waits for those that are running. If ctx ends
// first, it cancels their context and waits on: when it returns, no handler runs. It returns how many messages
// are left, those that were put back included; they are lost.
func (l *Lanes) Close(ctx context.Context) (left int) {
	l.mu.Lock()
	l.closed = true
	l.work.Broadcast()
	l.mu.Unlock()

	stop := context.AfterFunc(ctx, l.cancel)
	l.workers.Wait()
	stop()
	l.cancel()

	l.mu.Lock()
	defer l.mu.Unlock()
	for _, waiting := range l.lanes {
		left += len(waiting.messages)
	}
	return left
}

// run is a worker.
func (l *Lanes) run(ctx context.Context) {
	for {
		current, m, ok := l.next()
		if !ok {
			return
		}
		err := l.handler(ctx, m)
		current.tries++
		again := err != nil && current.tries < maxTries
		switch {
		case again:
			l.onError(m, err)
		case err != nil:
			l.onError(m, fmt.Errorf("%w after %d tries: %w", ErrDropped, maxTries, err))
		}
		l.done(current, again)
	}
}

// next waits for a lane that is ready and returns its first message, which stays in the lane.
func (l *Lanes) next() (*lane, queue.Message, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.ready) == 0 && !l.closed {
		l.work.Wait()
	}
	if l.closed {
		return nil, queue.Message{}, false
	}
	first := l.ready[0]
	l.ready = l.ready[1:]
	return first, first.messages[0], true
}

// done makes a lane ready again whose first message was handled: after a delay if the message is to come again.
// Else the message leaves the lane.
func (l *Lanes) done(current *lane, again bool) {
	if again {
		time.AfterFunc(firstDelay<<(current.tries-1), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.enqueue(current)
		})
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	group := current.messages[0].Group
	current.messages, current.tries = current.messages[1:], 0
	if len(current.messages) == 0 {
		delete(l.lanes, group)
		return
	}
	l.enqueue(current)
}

// enqueue makes a lane ready. l.mu is held.
func (l *Lanes) enqueue(next *lane) {
	l.ready = append(l.ready, next)
	l.work.Signal()
}
