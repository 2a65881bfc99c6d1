// Package lane carries wake-ups through a queue: a Sender puts them in, a Handler does the lookups that they ask
// for. The queue keeps the wake-ups of one row in order and one at a time.
package lane

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
)

// format is the number of the format of messages. A format is read one release before it is written; a message
// of a newer one goes back, for the release that wrote it.
const format = 1

// message is a wake-up as it lies in a queue. Its JSON is a contract with whoever sends one by hand.
type message struct {
	Version int `json:"version"`
	lookup.Wake
}

// Send is what sends a wake-up.
type Send func(context.Context, lookup.Wake) error

// Sender returns what sends wake-ups into a queue.
func Sender(q queue.Sender) Send {
	return func(ctx context.Context, w lookup.Wake) error {
		body, err := json.Marshal(message{format, w})
		if err != nil {
			return fmt.Errorf("waking %s: %w", w.Key, err)
		}
		if err := q.Send(ctx, queue.Message{Group: w.Key, ID: rand.Text(), Body: body}); err != nil {
			return fmt.Errorf("waking %s: %w", w.Key, err)
		}
		return nil
	}
}

// Handler returns what handles the messages of Sender: it does the lookup, tells done of its outcome and how long
// it took, and sends the wake-up that the outcome asks for. Its error means that the message should come again.
func Handler(job *lookup.Job, send Send, done func(context.Context, lookup.Outcome, time.Duration)) queue.Handler {
	return func(ctx context.Context, m queue.Message) error {
		wake, err := parse(m)
		if err != nil {
			return err
		}
		began := time.Now()
		out, err := job.Run(ctx, wake)
		if err != nil {
			return fmt.Errorf("looking %s up: %w", wake.Key, err)
		}
		done(ctx, out, time.Since(began))
		if out.Wake == nil {
			return nil
		}
		return send(ctx, *out.Wake)
	}
}

// parse reads a message. What is not one of ours is refused: nothing of it is guessed.
func parse(m queue.Message) (lookup.Wake, error) {
	var w message
	if err := json.Unmarshal(m.Body, &w); err != nil {
		return lookup.Wake{}, errors.New("the message is no wake-up: it is not the JSON that one has")
	}
	switch {
	case w.Version != format:
		return lookup.Wake{}, fmt.Errorf("the wake-up has format %d, and this release reads format %d: run the release that sent it, or delete it; nothing is lost with it", w.Version, format)
	case w.Key == "":
		return lookup.Wake{}, errors.New("the wake-up does not say whom to look up")
	case w.Key != m.Group:
		return lookup.Wake{}, errors.New("the wake-up lies in the lane of another account")
	}
	return w.Wake, nil
}
