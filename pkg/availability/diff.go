package availability

import (
	"iter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Diff lists what became of the stored calendar from was to now, in order of the nights: applied to the one,
// the changes give the other. Nights before window.From never appear. Stretches are as long as they can be.
//
// Between two known records these are the nights whose state, cause or booking differs, however far ahead.
// When a property becomes known or ceases to be (its first complete read, gone, back again), every night of
// the window is listed, and beyond it each on which a stay or doubt of either record lies: whoever follows the
// changes takes the others for free. That is why a record must keep its stays and doubts while it is gone.
// Between two records of which neither is known nothing changes.
func Diff(was, now Record, window Range) []Change {
	wasUnknown, nowUnknown := was.unknown(), now.unknown()
	if wasUnknown != "" && nowUnknown != "" {
		return nil
	}
	turned := wasUnknown != "" || nowUnknown != ""
	beyond := Range{later(window.From, window.To), later(was.end(), now.end())}
	var changes []Change
	for _, part := range []Range{window, beyond} {
		for w, n := range pairs(was.layout(part.From, part.To), now.layout(part.From, part.To)) {
			listed := turned && (part == window || w.State != Free || n.State != Free)
			if w, n = w.unlessUnknown(wasUnknown), n.unlessUnknown(nowUnknown); listed || !turned && w.differs(n) {
				changes = appendChange(changes, Change{n.From, n.To, w.State, n.State, n.Cause, n.Booking, n.Reason})
			}
		}
	}
	return changes
}

// pairs walks two calendars of the same nights, and yields both spans of each stretch on which neither changes.
func pairs(a, b []Span) iter.Seq2[Span, Span] {
	return func(yield func(Span, Span) bool) {
		for len(a) > 0 && len(b) > 0 {
			x, y := a[0], b[0]
			x.To = earlier(x.To, y.To)
			y.To = x.To
			if !yield(x, y) {
				return
			}
			a, b = dropBefore(a, x.To), dropBefore(b, x.To)
		}
	}
}

// dropBefore drops the nights before night, which is in the first span or right behind it.
func dropBefore(spans []Span, night ownerrez.Date) []Span {
	if spans[0].To == night {
		return spans[1:]
	}
	spans[0].From = night
	return spans
}

// unlessUnknown returns s, or the same nights as unknown if there is a reason why they all are.
func (s Span) unlessUnknown(reason string) Span {
	if reason == "" {
		return s
	}
	return Span{From: s.From, To: s.To, State: Unknown, Reason: reason}
}

// differs reports whether s and o differ in what a change is about. A new reason alone is none.
func (s Span) differs(o Span) bool {
	return s.State != o.State || s.Cause != o.Cause || s.Booking != o.Booking
}

// appendChange adds c, as a part of the last change if it goes on with the same.
func appendChange(changes []Change, c Change) []Change {
	if len(changes) > 0 {
		last := &changes[len(changes)-1]
		longer := c
		longer.From = last.From
		if last.To == c.From && *last == (Change{last.From, last.To, c.Was, c.Now, c.Cause, c.Booking, c.Reason}) {
			*last = longer
			return changes
		}
	}
	return append(changes, c)
}
