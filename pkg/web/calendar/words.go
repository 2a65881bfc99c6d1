package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// FreeMeans is the sentence that stands wherever a night is called free.
const FreeMeans = "Free means that no stay occupies the night. It does not mean that it can be booked: rules, gaps and prices are OwnerRez's to say."

// Stretch is a run of nights [From, To) that are alike in all but their date.
type Stretch struct {
	From, To ownerrez.Date
	Night    Night // the first of them
}

// Nights is how many nights the stretch has.
func (s Stretch) Nights() int { return s.From.DaysUntil(s.To) }

// Stretches joins neighbouring nights that are alike.
func (p Property) Stretches() []Stretch {
	var out []Stretch
	for _, n := range p.Nights {
		if last := len(out) - 1; last >= 0 && alike(out[last].Night, n) {
			out[last].To = n.Date.AddDays(1)
			continue
		}
		out = append(out, Stretch{From: n.Date, To: n.Date.AddDays(1), Night: n})
	}
	return out
}

func alike(a, b Night) bool {
	return a.State == b.State && a.Cause == b.Cause && a.Booking == b.Booking && a.Until.Equal(b.Until) &&
		a.Reason == b.Reason && slices.Equal(a.Also, b.Also)
}

// causeWords say in a person's words by which stay a night is taken.
var causeWords = map[availability.Cause]string{
	availability.CauseBooking: "booking %d",
	availability.CauseOwner:   "owner's stay %d",
	availability.CausePending: "booking %d, not confirmed yet",
	availability.CauseHold:    "hold %d",
	availability.CauseBlock:   "block %d",
	availability.CauseLinked:  "stay %d in a property that shares this one",
	availability.CauseOther:   "stay %d of an unfamiliar kind",
}

// Why says in a person's words by what a taken night is taken, or why an unknown one is; times of day are told
// where loc is. It is empty for a free night.
func (n Night) Why(loc *time.Location) string {
	if n.Cause == availability.NoCause {
		return n.Reason
	}
	stays := []string{stay(n.Cause, n.Booking)}
	if !n.Until.IsZero() {
		stays[0] += ", until " + Clock(n.Until, loc)
	}
	for _, a := range n.Also {
		stays = append(stays, stay(a.Cause, a.Booking))
	}
	return strings.Join(stays, "; also ")
}

func stay(cause availability.Cause, booking int64) string {
	words, ok := causeWords[cause]
	if !ok {
		words = causeWords[availability.CauseOther]
	}
	return fmt.Sprintf(words, booking)
}

// Clock writes an instant as people do where loc is, and names the zone: "Wed 3 Dec 2026, 18:00 (America/Chicago)".
func Clock(t time.Time, loc *time.Location) string {
	return t.In(loc).Format("Mon 2 Jan 2006, 15:04") + " (" + loc.String() + ")"
}

// Ago says how long before now t was, in words; a zero t is "never".
func Ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return availability.Age(now.Sub(t)) + " ago"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
