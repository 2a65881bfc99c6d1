package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// format is the number of how notes are written: JSON behind it.
const format = 1

// How long things last.
const (
	stateLife   = 10 * time.Minute     // between the consent page and the callback
	flowLife    = time.Hour            // in which how it ended can be looked at, and it can be begun again
	claimLife   = time.Minute          // of a callback
	inviteLife  = 7 * 24 * time.Hour   // by default
	maxLife     = 90 * 24 * time.Hour  // of an invitation
	browserLife = 400 * 24 * time.Hour // as long as browsers keep cookies
	inviteKept  = 30 * 24 * time.Hour  // after it has expired, to say so
)

// flowNote is what is kept of a flow.
type flowNote struct {
	Browser string // hash of the Browser's Secret
	Invite  string `json:",omitempty"` // hash of the invitation's code; empty: open to all
	Began   time.Time
	Claimed time.Time `json:",omitzero"`  // when a callback began to end it
	Claim   string    `json:",omitempty"` // tells that callback from others; no secret
	Ending  *Ending   `json:",omitempty"`
}

// inviteNote is what is kept of an invitation.
type inviteNote struct {
	Account int64  `json:",omitempty"`
	Ref     string `json:",omitempty"`
	Return  string `json:",omitempty"`
	Expires time.Time
	Claimed time.Time `json:",omitzero"`  // when a flow began to use it
	Flow    string    `json:",omitempty"` // which one
	Used    bool      `json:",omitempty"`
}

// browserNote is what is kept of a browser that has connected an account.
type browserNote struct {
	Account int64
	Expires time.Time
}

func flowKey(flow string) string      { return "STATE#" + flow }
func inviteKey(code string) string    { return "INVITE#" + code } // by its hash
func browserKey(secret string) string { return "BROWSER#" + hash(secret) }

// read reads a note into v, and returns its version; 0 if there is none.
func (o *Office) read(ctx context.Context, key string, v any) (version int64, err error) {
	data, version, err := o.Notes.Note(ctx, key)
	if err != nil || version == 0 {
		return 0, err
	}
	if len(data) == 0 || data[0] != format {
		return 0, errors.New("a note of who connects was written by another release: run that, or begin anew")
	}
	if err := json.Unmarshal(data[1:], v); err != nil {
		return 0, errors.New("a note of who connects is damaged: begin anew")
	}
	return version, nil
}

// write writes a note at a version, or returns ErrConflict.
func (o *Office) write(ctx context.Context, key string, v any, version int64, expires time.Time) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("a note of who connects: %w", err)
	}
	return o.Notes.SetNote(ctx, key, append([]byte{format}, data...), version, expires)
}

func (o *Office) now() time.Time {
	if o.Now == nil {
		return time.Now().UTC().Truncate(time.Second)
	}
	return o.Now().UTC().Truncate(time.Second)
}
