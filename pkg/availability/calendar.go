package availability

import "github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"

// Why all nights of a property are unknown.
const (
	reasonGone  = "gone" // a word of the published events
	reasonNever = "never read: no lookup of this property has been complete yet"
)

// Range is the nights [From, To).
type Range struct {
	From, To ownerrez.Date
}

// Contains reports whether night is one of the range.
func (r Range) Contains(night ownerrez.Date) bool {
	return !night.Before(r.From) && night.Before(r.To)
}

// Span is a stretch of nights [From, To) of the stored calendar, all alike.
type Span struct {
	From, To ownerrez.Date
	State    State
	Cause    Cause  // NoCause unless taken
	Booking  int64  // of the strongest stay; 0 unless taken
	Reason   string // why it is unknown; empty otherwise
}

// Stored returns the stored calendar of the nights [from, to): spans in order, without a gap, each as long as
// it can be. All nights are unknown if the property is gone or was never read completely; else a night is
// taken by its strongest stay (the smaller booking among equals), or unknown because of a doubt, or free.
//
// The stored calendar depends on nothing but the record: age, lapsed holds and the window are the matter of
// [Record.Show].
func (r Record) Stored(from, to ownerrez.Date) []Span {
	if reason := r.unknown(); reason != "" && from.Before(to) {
		return []Span{{From: from, To: to, State: Unknown, Reason: reason}}
	}
	return r.layout(from, to)
}

// unknown says why all nights of the record are unknown; it is empty if they are not.
func (r *Record) unknown() string {
	switch {
	case r.Gone:
		return reasonGone
	case !r.Known:
		return reasonNever
	}
	return ""
}

// layout is the calendar of the nights [from, to) as the stays and doubts make it, be the record known or not.
func (r *Record) layout(from, to ownerrez.Date) []Span {
	spans := make([]Span, 0, max(0, min(len(r.Stays)+1, from.DaysUntil(to))))
	for s := range r.sweep(from, to) {
		span := Span{From: s.from, To: s.to, State: Free}
		if len(s.stays) > 0 {
			span = r.strongest(s)
		}
		if n := len(spans); n > 0 && spans[n-1].alike(span) {
			spans[n-1].To = span.To
		} else {
			spans = append(spans, span)
		}
	}
	return spans
}

// strongest is the span that the strongest stay of s makes, or its first doubt.
func (r *Record) strongest(s stretch) Span {
	first := s.stays[0]
	if first.Cause == doubted {
		return Span{From: s.from, To: s.to, State: Unknown, Reason: r.Doubts[first.Booking].Why}
	}
	return Span{From: s.from, To: s.to, State: Taken, Cause: first.Cause, Booking: first.Booking}
}

// alike reports whether s and o say the same of their nights.
func (s Span) alike(o Span) bool {
	return s.State == o.State && s.Cause == o.Cause && s.Booking == o.Booking && s.Reason == o.Reason
}

// end is the day after the last night that a stay or doubt lies on; no date if there are none.
func (r *Record) end() ownerrez.Date {
	var end ownerrez.Date
	for _, s := range r.Stays {
		end = later(end, s.Departure)
	}
	for _, d := range r.Doubts {
		end = later(end, d.To)
	}
	return end
}
