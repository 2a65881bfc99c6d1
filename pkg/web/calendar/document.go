package calendar

import (
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
	Next       string           `json:"next,omitempty"` // path and query of the next page; empty where there are no pages, or no more
}

// maxAlso is how many further stays of a night are listed, so that a document has an end whatever OwnerRez holds.
const maxAlso = 100

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
	Also    []Also             `json:"also,omitempty"`       // the other stays of the night, strongest first, at most 100
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
	v := view{snap, set, q.Now}
	doc, _ := v.document(v.askedFor(q.Properties), q.From, q.To, func(Property) bool { return true })
	return doc
}

// document answers for properties, in their order, up to the first that fits no more; rest are those that are left.
// The first one always fits.
func (v view) document(ids []int64, from, to ownerrez.Date, fits func(Property) bool) (doc Document, rest []int64) {
	doc = Document{Account: v.Account.ID, From: from, To: to, Properties: []Property{}, Problems: []lookup.Problem{}}
	if v.Account.ID != 0 && v.Account.Version != 0 {
		doc.Seq = &v.Account.Seq
	}
	var unread []lookup.Problem
	for i, id := range ids {
		p := v.property(id, from, to)
		if !fits(p) && i > 0 {
			ids, rest = ids[:i], ids[i:]
			break
		}
		doc.Properties = append(doc.Properties, p)
		unread = append(unread, v.unread(p, v.Problems)...)
	}
	for _, p := range v.Problems {
		if p.Property == 0 || slices.Contains(ids, p.Property) {
			doc.Problems = append(doc.Problems, p)
		}
	}
	if len(ids) == 0 && len(doc.Problems) == 0 && v.Account.AsOf.IsZero() && v.Account.Listed.IsZero() {
		doc.Problems = append(doc.Problems, lookup.Problem{Message: "The account has not been read yet.", Next: "Look it up again."})
	}
	doc.Problems = append(doc.Problems, unread...)
	doc.Complete = len(doc.Problems) == 0
	return doc, rest
}

// view is what is known, as it may be shown now.
type view struct {
	lookup.Snapshot
	settings lookup.Settings
	now      time.Time
}

// askedFor lists the properties that are asked for by ids, each once; without ids, all but those that are gone.
func (v view) askedFor(ids []int64) []int64 {
	var asked []int64
	for _, id := range ids {
		if !slices.Contains(asked, id) {
			asked = append(asked, id)
		}
	}
	if len(asked) > 0 {
		return asked
	}
	for _, rec := range v.Records {
		if !rec.Gone {
			asked = append(asked, rec.Property)
		}
	}
	return asked
}

// property tells what is known of one property's nights [from, to).
func (v view) property(id int64, from, to ownerrez.Date) Property {
	rec, _ := v.Record(id)
	p := Property{ID: id, Name: rec.Name, Nights: []Night{}}
	if loc, certain := v.settings.Location(rec.Zone, v.Account.Zone); certain {
		p.TimeZone = loc.String()
	}
	if asOf := v.AsOf(id); !asOf.IsZero() {
		p.AsOf = asOf.UTC().Truncate(time.Second)
	}
	count := map[availability.State]int{}
	for _, n := range v.Show(v.settings, v.now, id, from, to) {
		p.Nights = append(p.Nights, newNight(n))
		count[n.State]++
	}
	switch {
	case count[availability.Taken] > 0:
		p.Free = new(false)
	case count[availability.Unknown] == 0 && len(p.Nights) > 0:
		p.Free = new(true)
	}
	return p
}

func newNight(n availability.Night) Night {
	night := Night{Date: n.Date, State: n.State, Cause: n.Cause, Booking: n.Booking, Until: n.Until, Reason: n.Reason}
	for _, a := range n.Also[:min(len(n.Also), maxAlso)] {
		night.Also = append(night.Also, Also(a))
	}
	return night
}
