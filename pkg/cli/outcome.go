package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// logOutcome writes one line per lookup: account, full or increment, requests used, nights changed, age; and what
// is wrong, if anything is.
func (p *program) logOutcome(out lookup.Outcome, now time.Time) {
	if out.Unpublished != nil {
		p.log("account %d: not all changes were published: %v", out.Account, out.Unpublished)
	}
	if out.Kind == "none" && len(out.Problems) == 0 {
		return // a wake-up that came late: nothing was to be done
	}
	who := fmt.Sprintf("account %d", out.Account)
	if out.Account == 0 {
		who = "account not known yet"
	}
	parts := []string{kindWords(out.Kind), plural(out.Requests, "request")}
	if out.Kind == "full" || out.Kind == "increment" {
		parts = append(parts, plural(out.Nights, "night")+" changed", "read "+calendar.Ago(now, out.AsOf))
	}
	if out.Kind == "leave" && out.Left == nil {
		parts[0] = "is being disconnected"
	} else if out.Left != nil {
		parts[0] += " by the " + out.Left.By
	}
	p.log("%s: %s%s", who, strings.Join(parts, ", "), problemWords(out.Problems))
}

func problemWords(problems []lookup.Problem) string {
	var words strings.Builder
	for _, problem := range problems {
		words.WriteString(". ")
		if problem.Property != 0 {
			fmt.Fprintf(&words, "Property %d: ", problem.Property)
		}
		words.WriteString(problem.Message + " " + strings.TrimSuffix(problem.Next, "."))
	}
	return words.String()
}

func kindWords(kind string) string {
	switch kind {
	case "full":
		return "full lookup"
	case "increment":
		return "incremental lookup"
	case "connect":
		return "asked whose the credentials are"
	case "leave":
		return "disconnected"
	}
	return "not looked up"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
