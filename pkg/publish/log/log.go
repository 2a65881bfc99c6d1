// Package log publishes events as lines of JSON, one event a line, to a terminal or a file.
package log

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish"
)

// Publisher writes events. It is safe for concurrent use.
type Publisher struct {
	mu sync.Mutex // one line at a time
	w  io.Writer
}

var _ lookup.Publisher = (*Publisher)(nil)

// New returns a publisher that writes to w, each line by one Write.
func New(w io.Writer) *Publisher { return &Publisher{w: w} }

// Publish writes the event. The same event is the same line, whenever it is written.
func (p *Publisher) Publish(ctx context.Context, e lookup.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false) // reasons are read by people
	if err := enc.Encode(publish.Wrap(e)); err != nil {
		return fmt.Errorf("event %d of account %d: %w", e.Seq, e.Account, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.w.Write(line.Bytes()); err != nil {
		return fmt.Errorf("writing event %d of account %d: %w", e.Seq, e.Account, err)
	}
	return nil
}
