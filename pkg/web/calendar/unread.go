package calendar

import (
	"fmt"
	"slices"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// unread finds the problems that nobody has said so far: each unknown night must have one that tells what to do.
func (v view) unread(p Property, said []lookup.Problem) []lookup.Problem {
	explained := slices.ContainsFunc(said, func(s lookup.Problem) bool { return s.Property == 0 || s.Property == p.ID })
	rec, known := v.Record(p.ID)
	switch {
	case known && !rec.Gone:
		return v.unknownNights(p, rec, explained)
	case explained:
		return nil
	case rec.Gone:
		return []lookup.Problem{{
			Property: p.ID,
			Message:  "The property is inactive in OwnerRez, or not there any more.",
			Next:     "Make it active in OwnerRez, or leave it out.",
		}}
	}
	return []lookup.Problem{{
		Property: p.ID,
		Message:  "The account has no such property, or it has not been read yet.",
		Next:     "Check the id: `ownerrez properties` lists them, and so does /v1/accounts.",
	}}
}

// unknownNights says how many nights are unknown, and why: those that are not looked up, and unless that is
// explained already, those that could not be read.
func (v view) unknownNights(p Property, rec availability.Record, explained bool) []lookup.Problem {
	from, to := v.settings.Window(v.now, rec.Zone, v.Account.Zone)
	outside, nights := 0, map[string]int{}
	var reasons []string
	for _, n := range p.Nights {
		switch {
		case n.State != availability.Unknown:
		case n.Date.Before(from) || !n.Date.Before(to):
			outside++
		default:
			if nights[n.Reason]++; nights[n.Reason] == 1 {
				reasons = append(reasons, n.Reason)
			}
		}
	}
	var problems []lookup.Problem
	if outside > 0 {
		problems = append(problems, lookup.Problem{
			Property: p.ID,
			Message:  fmt.Sprintf("%s outside those that are looked up.", count(outside, "night lies", "nights lie")),
			Next:     fmt.Sprintf("Ask for nights from %s to %s.", from, to),
		})
	}
	if explained {
		return problems
	}
	for _, reason := range reasons {
		problems = append(problems, lookup.Problem{
			Property: p.ID,
			Message:  fmt.Sprintf("%s unknown: %s.", count(nights[reason], "night is", "nights are"), reason),
			Next:     "Look it up again; if it stays, look at the property in OwnerRez.",
		})
	}
	return problems
}
