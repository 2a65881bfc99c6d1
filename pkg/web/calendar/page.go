package calendar

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// shownMonths is how many months follow the one of today: with what is left of it, never less than a year.
const shownMonths = 12

// page is what the template shows.
type page struct {
	Style     template.CSS
	FreeMeans string
	Demo      bool
	Refresh   int // seconds; 0: the page does not load itself again
	Made      moment
	Accounts  []accountView
}

type accountView struct {
	Title      string
	Read       moment
	JSON       string // where the same is told as JSON, for as many nights as one answer has
	Problems   []lookup.Problem
	Properties []propertyView
	Gone       []string
	Waiting    bool // nothing was read yet, and nothing is wrong
}

type propertyView struct {
	Anchor    string
	Name      string
	ID        int64
	Zone      string
	Uncertain bool // today is: no zone is known
	Read      moment
	Tonight   stretchView
	Problems  []lookup.Problem
	Months    []month
	Stays     []stretchView // the stretches that are not free
}

// moment is an instant, as it is told and as a machine reads it.
type moment struct {
	Never bool
	Ago   string
	Clock string
	UTC   string // RFC 3339
	Old   bool   // older than free nights may be
}

// stretchView is a run of alike nights that are not free.
type stretchView struct {
	ID    string // of the element that tells of it
	State availability.State
	Cause availability.Cause
	Why   string // empty if it is free
	Dates string
}

type month struct {
	Name  string
	Weeks [][7]day
}

// day is a cell of a month. Number 0 is a cell outside it.
type day struct {
	Number  int
	Class   string
	Stretch *stretchView // nil for free nights and for past days
	First   bool         // the stretch's first night on the page: the one that the Tab key reaches
}

func newPage(snaps []lookup.Snapshot, opts Options, refresh bool) page {
	now := opts.Now()
	p := page{
		Style:     template.CSS(pageCSS), //nolint:gosec // our own file
		FreeMeans: FreeMeans, Demo: opts.Demo, Made: newMoment(now, now, time.UTC, 0),
	}
	if refresh {
		p.Refresh = max(int(opts.Refresh/time.Second), 1)
	}
	for _, snap := range snaps {
		p.Accounts = append(p.Accounts, newAccount(snap, opts.Settings, now))
	}
	return p
}

func newAccount(snap lookup.Snapshot, set lookup.Settings, now time.Time) accountView {
	a := accountView{Title: accountTitle(snap.Account)}
	loc, _ := set.Location("", snap.Account.Zone)
	a.Read = newMoment(now, snap.Account.AsOf, loc, set.Stale())
	today := ownerrez.Today(now, loc)
	a.JSON = calendarLink(snap.Account.ID, today, today.AddDays(maxNights))
	for _, p := range snap.Problems {
		if p.Property == 0 {
			a.Problems = append(a.Problems, p)
		}
	}
	for _, rec := range snap.Records {
		if rec.Gone {
			a.Gone = append(a.Gone, propertyName(rec))
			continue
		}
		a.Properties = append(a.Properties, newPropertyView(snap, rec, set, now))
	}
	slices.SortStableFunc(a.Properties, func(x, y propertyView) int {
		return cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
	})
	a.Waiting = a.Read.Never && len(a.Problems) == 0
	return a
}

func accountTitle(row lookup.Account) string {
	switch {
	case row.ID == 0:
		return "An account that is not known yet"
	case row.Name == "":
		return fmt.Sprintf("Account %d", row.ID)
	}
	return fmt.Sprintf("%s (account %d)", row.Name, row.ID)
}

func propertyName(rec availability.Record) string {
	if rec.Name == "" {
		return fmt.Sprintf("Property %d", rec.Property)
	}
	return rec.Name
}

func newPropertyView(snap lookup.Snapshot, rec availability.Record, set lookup.Settings, now time.Time) propertyView {
	loc, certain := set.Location(rec.Zone, snap.Account.Zone)
	today := ownerrez.Today(now, loc)
	from, to := monthOf(today, 0), monthOf(today, shownMonths+1)
	p := view{snap, set, now}.property(rec.Property, from, to)
	v := propertyView{
		Anchor: fmt.Sprintf("p%d", p.ID), Name: propertyName(rec), ID: p.ID,
		Zone: p.TimeZone, Uncertain: !certain, Read: newMoment(now, p.AsOf, loc, set.Stale()),
	}
	for _, problem := range snap.Problems {
		if problem.Property == p.ID {
			v.Problems = append(v.Problems, problem)
		}
	}
	v.fill(p, from, today, loc)
	return v
}

// fill lays the nights of p, which begin with the month of today, out in months.
func (v *propertyView) fill(p Property, from, today ownerrez.Date, loc *time.Location) {
	stretches := p.Stretches()
	views := make([]stretchView, len(stretches))
	at := make([]int, 0, len(p.Nights)) // the stretch of each night
	last := p.Nights[len(p.Nights)-1].Date
	for i, s := range stretches {
		views[i] = stretchView{
			ID: fmt.Sprintf("s%d-%d", p.ID, i), State: s.Night.State, Cause: s.Night.Cause,
			Why: s.Night.Why(loc), Dates: dates(s, from, last.AddDays(1)),
		}
		for range s.Nights() {
			at = append(at, i)
		}
		if s.Night.State != availability.Free && s.To.After(today) {
			v.Stays = append(v.Stays, views[i])
		}
	}
	v.Tonight = views[at[from.DaysUntil(today)]]
	if s := stretches[at[from.DaysUntil(today)]]; s.Night.State == availability.Free {
		v.Tonight.Dates = "until " + longDate(s.To)
	}
	for m := range shownMonths + 1 {
		begin, end := monthOf(from, m), monthOf(from, m+1)
		cells := month{Name: begin.In(time.UTC).Format("January 2006")}
		for d := begin; d.Before(end); d = d.AddDays(1) {
			i := at[from.DaysUntil(d)]
			cells.put(d, newDay(d, today, stretches[i], &views[i]))
		}
		v.Months = append(v.Months, cells)
	}
}

// put sets the cell of a date, in weeks that begin on Sunday.
func (m *month) put(d ownerrez.Date, cell day) {
	if len(m.Weeks) == 0 || d.Weekday() == time.Sunday {
		m.Weeks = append(m.Weeks, [7]day{})
	}
	m.Weeks[len(m.Weeks)-1][d.Weekday()] = cell
}

func newDay(d, today ownerrez.Date, s Stretch, view *stretchView) day {
	_, _, number := d.YearMonthDay()
	cell := day{Number: number}
	if d.Before(today) {
		cell.Class = "past"
		return cell
	}
	if s.Night.State != availability.Free {
		cell.Stretch = view
		cell.First = d == s.From || d == today
	}
	cell.Class = s.Night.State.String()
	for _, class := range []struct {
		name  string
		holds bool
	}{
		{s.Night.Cause.String(), s.Night.Cause != availability.NoCause},
		{"begin", cell.Stretch != nil && d == s.From},
		{"end", cell.Stretch != nil && d == s.To.AddDays(-1)},
		{"today", d == today},
	} {
		if class.holds {
			cell.Class += " " + class.name
		}
	}
	return cell
}

// Title says what the nights are: "Taken: booking 900101".
func (s stretchView) Title() string {
	state := s.State.String()
	state = strings.ToUpper(state[:1]) + state[1:]
	if s.Why == "" {
		return state
	}
	return state + ": " + s.Why
}

// dates writes the days of a stretch. What the page [from, to) cuts off may have begun earlier, or end later.
func dates(s Stretch, from, to ownerrez.Date) string {
	arrival, departure := longDate(s.From), longDate(s.To)
	switch {
	case s.From == from && s.To == to:
		return "all nights shown here"
	case s.From == from:
		return "until " + departure
	case s.To == to:
		return "from " + arrival + " on"
	}
	return fmt.Sprintf("%s to %s, %s", arrival, departure, count(s.Nights(), "night", "nights"))
}

func newMoment(now, t time.Time, loc *time.Location, stale time.Duration) moment {
	if t.IsZero() {
		return moment{Never: true, Ago: Ago(now, t)}
	}
	m := moment{Ago: Ago(now, t), UTC: t.UTC().Format(time.RFC3339), Old: stale > 0 && now.Sub(t) > stale}
	m.Clock = Clock(t, loc)
	if loc != time.UTC {
		m.Clock += t.UTC().Format(", 15:04 UTC")
	}
	return m
}

func longDate(d ownerrez.Date) string { return d.In(time.UTC).Format("Mon 2 Jan 2006") }

// monthOf returns the first day of the month that comes n months after that of d.
func monthOf(d ownerrez.Date, n int) ownerrez.Date {
	year, m, _ := d.YearMonthDay()
	return ownerrez.NewDate(year, m+time.Month(n), 1)
}
