package cli

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// stateColours are how a terminal shows what is known of nights.
var stateColours = map[availability.State]string{
	availability.Free: green, availability.Taken: red, availability.Unknown: yellow,
}

// table lays an answer out for a person: per property a heading and its stretches of equal nights.
func (t *terminal) table(doc calendar.Document, now time.Time) []byte {
	var out bytes.Buffer
	for i, p := range doc.Properties {
		if i > 0 {
			out.WriteByte('\n')
		}
		t.property(&out, p, now)
	}
	switch {
	case len(doc.Properties) > 0:
		fmt.Fprintf(&out, "\n%s\n", t.paint(faint, calendar.FreeMeans))
	case doc.Complete:
		out.WriteString("The account has no active property.\n")
	default:
		out.WriteString("Nothing is known.\n")
	}
	return out.Bytes()
}

func (t *terminal) property(out *bytes.Buffer, p calendar.Property, now time.Time) {
	loc, about := time.UTC, []string{"never read"}
	if !p.AsOf.IsZero() {
		about = []string{"read " + calendar.Ago(now, p.AsOf)}
	}
	if zone, err := time.LoadLocation(p.TimeZone); err == nil && p.TimeZone != "" {
		loc, about = zone, append([]string{p.TimeZone}, about...)
	}
	fmt.Fprintf(out, "%s  %s\n", t.paint(bold, heading(p)), t.paint(faint, strings.Join(about, ", ")))
	for _, s := range p.Stretches() {
		nights := fmt.Sprintf("%3d nights", s.Nights())
		if s.Nights() == 1 {
			nights = "  1 night "
		}
		state := fmt.Sprintf("%-7s", s.Night.State)
		line := fmt.Sprintf("  %s to %s  %s  %s  %s", weekday(s.From), weekday(s.To), nights,
			t.paint(stateColours[s.Night.State], state), printable(s.Night.Why(loc)))
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func weekday(d ownerrez.Date) string { return d.Weekday().String()[:3] + " " + d.String() }

// heading names a property for a person.
func heading(p calendar.Property) string {
	if name := printable(p.Name); name != "" {
		return fmt.Sprintf("%s (%d)", name, p.ID)
	}
	return fmt.Sprintf("Property %d", p.ID)
}
