// Package queue carries messages to a handler: in order and one at a time within a group, in parallel across
// groups. It knows nothing of what is in them. Each engine has a package of its own: lanes holds messages in
// memory; queuetest checks an engine.
package queue

import "context"

// Message is one message. Every message arrives at least once, and may arrive again.
type Message struct {
	Group string // messages of one group are handled one after another, in the order in which they were sent
	ID    string // tells messages apart, in logs and for engines that drop doubles: never the same for two messages
	Body  []byte
}

// Handler handles a message. If it returns an error, the message is put back and comes again after a while,
// before those of its group that were sent later. A handler must return soon after its context ends, and must
// not change the body. It is called concurrently, for different groups.
type Handler func(ctx context.Context, m Message) error

// Sender puts messages into a queue. It is safe for concurrent use.
type Sender interface {
	// Send returns nil once the message is in the queue. On an error it may be there or not.
	Send(ctx context.Context, m Message) error
}
