package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Document is the answer to a question for nights. Its JSON is a contract with its readers.
type Document struct {
	Account    int64            `json:"account,omitempty"` // 0 while it is not known
	Seq        *int64           `json:"seq,omitempty"`     // the account's last event in this answer; nil without a store
	From       ownerrez.Date    `json:"from"`              // the first night
	To         ownerrez.Date    `json:"to"`                // the day of departure
	Complete   bool             `json:"complete"`          // false: something asked for could not be read, and Problems says what
	Properties []Property       `json:"properties"`
	Problems   []lookup.Problem `json:"problems"`
}

// Property is the part of a Document about one property.
type Property struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name,omitempty"`
	TimeZone string    `json:"time_zone,omitempty"` // the zone in which its nights are meant, if one is known
	AsOf     time.Time `json:"as_of,omitzero"`      // when the read began that this rests on, in UTC; zero: never read
	Free     *bool     `json:"free"`                // true: all nights are free, false: at least one is taken, nil: neither is known
	Nights   []Night   `json:"nights"`              // every night once, in order
}

// Night is one night of a property.
type Night struct {
	Date    ownerrez.Date      `json:"date"` // the day on which the night begins
	State   availability.State `json:"state"`
	Cause   availability.Cause `json:"cause,omitempty"`      // why it is taken: of several stays, the strongest one's
	Booking int64              `json:"booking_id,omitempty"` // the booking of that stay
	Until   time.Time          `json:"until,omitzero"`       // when a hold lapses, in UTC
	Also    []Also             `json:"also,omitempty"`       // the other stays of the night, strongest first
	Reason  string             `json:"reason,omitempty"`     // why it is unknown
}

// Also is a further stay on a taken night.
type Also struct {
	Cause   availability.Cause `json:"cause"`
	Booking int64              `json:"booking_id"`
}

// NewDocument answers q, as of q.Now, from what is known. Without Properties in the question it answers for all
// that the account has, but for those that are gone.
func NewDocument(snap lookup.Snapshot, set lookup.Settings, q lookup.Question) Document {
	doc := Document{
		Account: snap.Account.ID, From: q.From, To: q.To,
		Properties: []Property{}, Problems: []lookup.Problem{},
	}
	if snap.Account.ID != 0 && snap.Account.Version != 0 {
		doc.Seq = &snap.Account.Seq
	}
	asked := askedFor(snap, q)
	for _, p := range snap.Problems {
		if p.Property == 0 || slices.Contains(asked, p.Property) {
			doc.Problems = append(doc.Problems, p)
		}
	}
	if len(asked) == 0 && len(doc.Problems) == 0 && snap.Account.AsOf.IsZero() && snap.Account.Listed.IsZero() {
		doc.Problems = append(doc.Problems, lookup.Problem{Message: "The account has not been read yet.", Next: "Look it up again."})
	}
	said := doc.Problems
	for _, id := range asked {
		p := newProperty(snap, set, q.Now, id, q.From, q.To)
		doc.Properties = append(doc.Properties, p)
		doc.Problems = append(doc.Problems, unread(snap, set, q.Now, p, said)...)
	}
	doc.Complete = len(doc.Problems) == 0
	return doc
}

// askedFor lists the properties that q asks for, in its order, each once.
func askedFor(snap lookup.Snapshot, q lookup.Question) []int64 {
	var ids []int64
	for _, id := range q.Properties {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids
	}
	for _, rec := range snap.Records {
		if !rec.Gone {
			ids = append(ids, rec.Property)
		}
	}
	return ids
}

// newProperty tells what is known of one property's nights [from, to).
func newProperty(snap lookup.Snapshot, set lookup.Settings, now time.Time, id int64, from, to ownerrez.Date) Property {
	rec, _ := snap.Record(id)
	p := Property{ID: id, Name: rec.Name, Nights: []Night{}}
	if loc, certain := set.Location(rec.Zone, snap.Account.Zone); certain {
		p.TimeZone = loc.String()
	}
	if asOf := snap.AsOf(id); !asOf.IsZero() {
		p.AsOf = asOf.UTC().Truncate(time.Second)
	}
	var taken, free int
	for _, n := range snap.Show(set, now, id, from, to) {
		p.Nights = append(p.Nights, newNight(n))
		switch n.State {
		case availability.Taken:
			taken++
		case availability.Free:
			free++
		}
	}
	switch {
	case taken > 0:
		p.Free = new(false)
	case free > 0 && free == len(p.Nights):
		p.Free = new(true)
	}
	return p
}

func newNight(n availability.Night) Night {
	night := Night{Date: n.Date, State: n.State, Cause: n.Cause, Booking: n.Booking, Until: n.Until, Reason: n.Reason}
	for _, a := range n.Also {
		night.Also = append(night.Also, Also(a))
	}
	return night
}

// unread names the nights of a property that nothing said so far explains: each unknown night must have a
// problem that tells what to do about it.
func unread(snap lookup.Snapshot, set lookup.Settings, now time.Time, p Property, said []lookup.Problem) []lookup.Problem {
	rec, known := snap.Record(p.ID)
	from, to := set.Window(now, rec.Zone, snap.Account.Zone)
	explained := slices.ContainsFunc(said, func(s lookup.Problem) bool { return s.Property == 0 || s.Property == p.ID })
	problem := func(message, next string) lookup.Problem {
		return lookup.Problem{Property: p.ID, Message: message, Next: next}
	}
	switch {
	case (rec.Gone || !known) && explained:
		return nil
	case rec.Gone:
		return []lookup.Problem{problem("The property is inactive in OwnerRez, or not there any more.", "Make it active in OwnerRez, or leave it out.")}
	case !known:
		return []lookup.Problem{problem("The account has no such property, or it has not been read yet.", "Check the id: `ownerrez properties` lists them.")}
	}

	var problems []lookup.Problem
	outside := 0
	reasons := map[string]int{}
	for _, n := range p.Nights {
		switch {
		case n.State != availability.Unknown:
		case n.Date.Before(from) || !n.Date.Before(to):
			outside++
		default:
			reasons[n.Reason]++
		}
	}
	if outside > 0 {
		problems = append(problems, problem(fmt.Sprintf("%s outside those that are looked up.", count(outside, "night lies", "nights lie")),
			fmt.Sprintf("Ask for nights from %s to %s.", from, to)))
	}
	if explained {
		return problems
	}
	for _, reason := range sortedByCount(reasons) {
		problems = append(problems, problem(fmt.Sprintf("%s unknown: %s.", count(reasons[reason], "night is", "nights are"), reason),
			"Look it up again; if it stays, look at the property in OwnerRez."))
	}
	return problems
}

func sortedByCount(reasons map[string]int) []string {
	var keys []string
	for reason := range reasons {
		keys = append(keys, reason)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b))
	})
	return keys
}
