package calendar

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	maxNights    = 366 // that one question may be about
	maxAsked     = 500 // properties that one question may name
	maxComplains = 5   // that are told of one query; of more, how many there are
)

// query is what a request asks for. What is wrong with it is gathered, so that all of it can be told at once.
type query struct {
	values  url.Values
	wrong   []string
	example string // how to ask, for whoever asked wrongly
}

// parseQuery reads a query that may have the given parameters only.
func parseQuery(raw string, parameters []string, example string) *query {
	values, err := url.ParseQuery(raw)
	q := &query{values: values, example: example}
	if err != nil {
		q.refuse("The query cannot be read: special characters are written as %%XX in it.")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(parameters, name) {
			q.refuse("There is no parameter %.40q here; there are %s.", name, strings.Join(parameters, ", "))
		}
	}
	return q
}

func (q *query) refuse(format string, args ...any) {
	q.wrong = append(q.wrong, fmt.Sprintf(format, args...))
}

// err is everything that is wrong with the query; nil if nothing is.
func (q *query) err() error {
	if len(q.wrong) == 0 {
		return nil
	}
	told := q.wrong[:min(len(q.wrong), maxComplains)]
	if more := len(q.wrong) - len(told); more > 0 {
		told = append(slices.Clone(told), fmt.Sprintf("%d more things are wrong.", more))
	}
	return failure{http.StatusBadRequest, strings.Join(told, " "), q.example}
}

// one returns the value of a parameter that is given once at most.
func (q *query) one(name string, required bool) (text string, ok bool) {
	values := q.values[name]
	switch {
	case len(values) == 1:
		return values[0], true
	case len(values) > 1:
		q.refuse("%s is given %d times, where one is meant.", name, len(values))
	case required:
		q.refuse("%s is missing.", name)
	}
	return "", false
}

// number reads a whole number of at least the least one. Where the parameter is not given it is def; a def that is
// smaller than the least one means that it must be given.
func (q *query) number(name string, def, least, most int64) int64 {
	text, ok := q.one(name, def < least)
	if !ok {
		return def
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if number := int64(n); err == nil && number >= least && number <= most {
		return number
	}
	bounds := fmt.Sprintf("from %d on", least)
	if most < math.MaxInt64 {
		bounds = fmt.Sprintf("from %d to %d", least, most)
	}
	q.refuse("%s is %.40q; it must be a whole number %s.", name, text, bounds)
	return def
}

func (q *query) account() int64 { return q.number("account", 0, 1, math.MaxInt64) }
func (q *query) after() int64   { return q.number("after", 0, 0, math.MaxInt64) }
func (q *query) limit() int     { return int(q.number("limit", 100, 1, 100)) }

// nights reads the range of nights [from, to).
func (q *query) nights() (from, to ownerrez.Date) {
	from, to = q.date("from"), q.date("to")
	if from.IsZero() || to.IsZero() {
		return from, to
	}
	switch nights := from.DaysUntil(to); {
	case nights <= 0:
		q.refuse("to is the day of departure and must come after from, and %s does not come after %s.", to, from)
	case nights > maxNights:
		q.refuse("From %s to %s are %d nights; ask for at most %d at once.", from, to, nights, maxNights)
	}
	return from, to
}

func (q *query) date(name string) ownerrez.Date {
	text, ok := q.one(name, true)
	if !ok {
		return ownerrez.Date{}
	}
	day, err := ownerrez.ParseDate(text)
	if err != nil || len(text) != len("2006-01-02") {
		q.refuse("%s is %.40q; it must be a day such as 2026-12-01.", name, text)
		return ownerrez.Date{}
	}
	return day
}

// properties reads the ids of properties, each once, in the order in which they are given; none if none is given.
func (q *query) properties() []int64 {
	var ids []int64
	for _, value := range q.values["property"] {
		for text := range strings.SplitSeq(value, ",") {
			id, err := ParsePropertyID(text)
			switch {
			case err != nil:
				q.refuse("%v.", err)
			case slices.Contains(ids, id):
			case len(ids) == maxAsked:
				q.refuse("Ask for at most %d properties at once.", maxAsked)
				return ids
			default:
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// ParsePropertyID reads a property's id as people write it: 4401, or ORP4401 as OwnerRez shows it.
func ParsePropertyID(text string) (int64, error) {
	text = strings.TrimSpace(text)
	digits := text
	if len(text) > 3 && strings.EqualFold(text[:3], "ORP") {
		digits = text[3:]
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%.40q is no property id; it is a number such as 4401 or ORP4401", text)
	}
	return int64(n), nil
}
