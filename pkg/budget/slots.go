package budget

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	slots    = 2                        // accounts whose personal tokens one address may use
	slotTime = 24*time.Hour + time.Hour // OwnerRez's 24 hours, and one for the requests that follow a Take and for clocks
)

// Slots keeps OwnerRez's rule for personal tokens: one address may use those of at most two accounts in 24
// hours. OAuth tokens have no such rule. Slots are safe for concurrent use.
type Slots struct {
	cells Cells
	key   string
	clock func() time.Time
}

// NewSlots returns the slots of an egress address, which is any name that all its users know it by.
func NewSlots(cells Cells, egress string, opts ...Option) *Slots {
	return &Slots{cells: cells, key: "PAT#" + egress, clock: newConfig(opts).clock}
}

// Take takes a slot for an account's personal token, or renews it: it is to be called before each run of
// requests with that token, which may last up to an hour. It refuses a third account with a *NoSlotError
// until nobody has taken one of the others' slots for 25 hours. Any other error is the cells' or the
// context's; the token must not be used then either.
//
// patUser is the keyed hash of the account's e-mail (account.Credential.PATUser); an empty one, of an OAuth
// token, needs no slot.
//
// If no request left, or the first was answered 401, release gives the slot back: only if this very call
// took it newly, and nobody has renewed it since.
func (s *Slots) Take(ctx context.Context, patUser string) (release func(context.Context) error, err error) {
	release = func(context.Context) error { return nil }
	if patUser == "" {
		return release, nil
	}
	if strings.Contains(patUser, "@") || len(patUser) > maxPATUser {
		return nil, errors.New("a slot for a personal token is asked for by something that is no hash of an e-mail")
	}
	var use slotUse
	var fresh bool
	err = s.change(ctx, func(c *slotCell, now int64) (write bool, err error) {
		use, fresh, err = c.take(patUser, now)
		return err == nil, err
	})
	if err != nil {
		return nil, err
	}
	if !fresh {
		return release, nil
	}
	return func(ctx context.Context) error { return s.release(ctx, use) }, nil
}

func (s *Slots) release(ctx context.Context, use slotUse) error {
	err := s.change(ctx, func(c *slotCell, _ int64) (bool, error) {
		i := slices.Index(c.uses, use)
		if i < 0 {
			return false, nil
		}
		c.uses = slices.Delete(c.uses, i, i+1)
		return true, nil
	})
	if errors.Is(err, ErrNoSlot) {
		return nil // an unreadable cell: there is nothing to give back
	}
	return err
}

// change lets f look at the slots and change them, as Window.change does.
func (s *Slots) change(ctx context.Context, f func(c *slotCell, now int64) (write bool, err error)) error {
	err := swap(ctx, s.cells, s.key, func(data []byte, version int64) ([]byte, time.Time, error) {
		now := s.clock().UnixMilli()
		var c slotCell
		var err error
		if version != 0 {
			c, err = parseSlots(data)
		}
		write := true
		if err != nil {
			c = slotCell{reopens: now + slotTime.Milliseconds()}
			err = noSlot(c.reopens, whySlotsUnreadable, err)
		} else {
			tidied := c.tidy(now)
			write, err = f(&c, now)
			write = write || tidied
		}
		if !write {
			return nil, time.Time{}, err
		}
		return encodeSlots(c), time.UnixMilli(now).Add(slotTime + keep), err
	})
	if err != nil && !errors.Is(err, ErrNoSlot) {
		return fmt.Errorf("the record of the personal tokens that were used: %w", err)
	}
	return err
}

// slotCell is what the slots' cell holds. Times are milliseconds since 1970.
type slotCell struct {
	reopens int64 // no slot is given before; 0 unless the cell was unreadable
	uses    []slotUse
}

type slotUse struct {
	user string // a keyed hash, never an e-mail
	last int64  // when the slot was taken or renewed last
}

// tidy forgets uses that no longer count, and reports whether anything changed. A use in our future is of a
// clock that was ahead, or ours jumped back: it counts from now on.
func (c *slotCell) tidy(now int64) (changed bool) {
	for i := range c.uses {
		if c.uses[i].last > now+behind.Milliseconds() {
			c.uses[i].last, changed = now, true
		}
	}
	if longest := now + slotTime.Milliseconds(); c.reopens > longest+behind.Milliseconds() {
		c.reopens, changed = longest, true
	}
	n := len(c.uses)
	c.uses = slices.DeleteFunc(c.uses, func(u slotUse) bool { return u.last+slotTime.Milliseconds() <= now })
	return changed || len(c.uses) != n
}

// take renews the user's slot or takes a fresh one.
func (c *slotCell) take(user string, now int64) (use slotUse, fresh bool, err error) {
	if now < c.reopens {
		return slotUse{}, false, noSlot(c.reopens, whySlotsUnreadable, nil)
	}
	if i := slices.IndexFunc(c.uses, func(u slotUse) bool { return u.user == user }); i >= 0 {
		c.uses[i].last = max(now, c.uses[i].last+1) // each use differs from the one before: see Slots.release
		return c.uses[i], false, nil
	}
	if len(c.uses) >= slots {
		first := slices.MinFunc(c.uses, func(a, b slotUse) int { return cmp.Compare(a.last, b.last) })
		return slotUse{}, false, noSlot(first.last+slotTime.Milliseconds(), whyNoSlot, nil)
	}
	use = slotUse{user, now}
	c.uses = append(c.uses, use)
	return use, true, nil
}

const (
	whyNoSlot          = "those of two other accounts were used from this address in the last 24 hours, and OwnerRez allows one address no third; use another address, or OAuth"
	whySlotsUnreadable = "the record of the accounts whose tokens were used from this address could not be read and was begun anew, as if two others had been used just then"
)

func noSlot(until int64, why string, cause error) *NoSlotError {
	return &NoSlotError{Until: time.UnixMilli(until), Why: why, Err: cause}
}

// The cell: slotsFormat, then when it opens again, then for each use its time, the user's length and the user.
const (
	slotsFormat = 1
	maxPATUser  = 200
)

func encodeSlots(c slotCell) []byte {
	dst := []byte{slotsFormat}
	dst = binary.AppendVarint(dst, c.reopens)
	for _, u := range c.uses {
		dst = binary.AppendVarint(dst, u.last)
		dst = binary.AppendVarint(dst, int64(len(u.user)))
		dst = append(dst, u.user...)
	}
	return dst
}

func parseSlots(data []byte) (slotCell, error) {
	if len(data) == 0 || data[0] != slotsFormat {
		return slotCell{}, errFormat(data)
	}
	r := reader{data: data[1:]}
	c := slotCell{reopens: r.time()}
	for len(r.data) > 0 && r.err == nil {
		u := slotUse{last: r.time()}
		u.user = r.text(maxPATUser)
		c.uses = append(c.uses, u)
	}
	return c, r.err
}
