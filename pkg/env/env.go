// Package env reads configuration from environment variables, and says everything that is wrong with them at once.
// The laptop's program and the functions of a stack read the same variables by it.
package env

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Reader reads variables and gathers what is wrong with them. It is not safe for concurrent use.
type Reader struct {
	variable func(string) (string, bool)
	errs     []error
}

// New returns a Reader of an environment, which works like os.LookupEnv.
func New(variable func(string) (string, bool)) *Reader { return &Reader{variable: variable} }

// Get returns a variable without the space around it; "" if it is not set.
func (r *Reader) Get(name string) string {
	value, _ := r.variable(name)
	return strings.TrimSpace(value)
}

// Need returns a variable that has to be set. what says what it should hold.
func (r *Reader) Need(name, what string) string {
	value := r.Get(name)
	if value == "" {
		r.Wrong(name, fmt.Errorf("must be set to %s", what))
	}
	return value
}

// Wrong notes what is wrong with a variable, one error for each line of err, and each once. A nil err is none.
func (r *Reader) Wrong(name string, err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		text := name + ": " + line
		if !slices.ContainsFunc(r.errs, func(e error) bool { return e.Error() == text }) {
			r.errs = append(r.errs, errors.New(text))
		}
	}
}

// Err is everything that was found wrong so far; nil if nothing was. It never holds the value of a variable that
// may be a secret.
func (r *Reader) Err() error { return errors.Join(r.errs...) }

// Settings reads OWNERREZ_LOOKUP_EVERY, OWNERREZ_STALE_AFTER and OWNERREZ_TIME_ZONE. A time of 0, or an empty one,
// means the default.
func (r *Reader) Settings() lookup.Settings {
	zone := lookup.Settings{Zone: r.Get("OWNERREZ_TIME_ZONE")}
	r.Wrong("OWNERREZ_TIME_ZONE", zone.Check())
	const every, stale = "OWNERREZ_LOOKUP_EVERY", "OWNERREZ_STALE_AFTER"
	ages := lookup.Settings{
		Every:      r.duration(every, "time between lookups"),
		StaleAfter: r.duration(stale, "age after which free nights are unknown"),
	}
	r.Wrong(stale, ages.Check()) // what can be wrong with every is found above
	ages.Zone = zone.Zone
	return ages
}

func (r *Reader) duration(name, what string) time.Duration {
	text := r.Get(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d != d.Truncate(time.Second) {
		r.Wrong(name, fmt.Errorf("%q is no %s; write it as 15m or 1h", text, what))
		return 0
	}
	return d
}

// PerFive reads OWNERREZ_REQUESTS_PER_5_MINUTES: how many requests may be sent in five minutes.
func (r *Reader) PerFive() int {
	const name = "OWNERREZ_REQUESTS_PER_5_MINUTES"
	text := cmp.Or(r.Get(name), strconv.Itoa(budget.DefaultPerFive))
	n, err := strconv.Atoi(text)
	if err != nil || n < budget.MinPerFive || n > budget.MaxPerFive {
		r.Wrong(name, fmt.Errorf("%q must be a number from %d to %d", text, budget.MinPerFive, budget.MaxPerFive))
	}
	return n
}

// OwnerRez is where OwnerRez is.
type OwnerRez struct {
	Options []ownerrez.Option // for clients
	Host    string            // the API's, with its port if it names one: what shares a budget of requests
}

// OwnerRez reads OWNERREZ_API_URL, OWNERREZ_APP_URL and OWNERREZ_ALLOW_HTTP_HOST.
func (r *Reader) OwnerRez() OwnerRez {
	allowed := ownerrez.WithAllowHTTPHost(r.Get("OWNERREZ_ALLOW_HTTP_HOST"))
	where := OwnerRez{Options: []ownerrez.Option{allowed}, Host: "api.ownerrez.com"}
	for _, host := range []struct {
		name string
		with func(string) ownerrez.Option
	}{{"OWNERREZ_API_URL", ownerrez.WithAPIURL}, {"OWNERREZ_APP_URL", ownerrez.WithAppURL}} {
		text := r.Get(host.name)
		if text == "" {
			continue
		}
		// Checked each by itself, with credentials that are right, so that the variable can be named.
		_, err := ownerrez.New(ownerrez.PAT("somebody@example.com", "pt_x"), host.with(text), allowed)
		r.Wrong(host.name, err)
		where.Options = append(where.Options, host.with(text))
	}
	if u, err := url.Parse(r.Get("OWNERREZ_API_URL")); err == nil && u.Host != "" {
		where.Host = strings.ToLower(u.Host)
	}
	return where
}
