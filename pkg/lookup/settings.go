package lookup

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The window of nights that are looked up, around a property's today.
const (
	WindowPast  = 30  // nights before today
	WindowAhead = 730 // nights from today on
)

// Settings are what an operator may choose. The zero Settings are the defaults.
type Settings struct {
	Every      time.Duration // how often an account is looked up; 0 means 15 minutes
	StaleAfter time.Duration // when free nights become unknown; 0 means the larger of 60 minutes and 3 × Every
	Zone       string        // IANA name, for accounts and properties that name none; may be empty
}

// LookupEvery is how often an account is looked up.
func (s Settings) LookupEvery() time.Duration {
	if s.Every == 0 {
		return 15 * time.Minute
	}
	return s.Every
}

// Stale is the age at which a free night is shown unknown.
func (s Settings) Stale() time.Duration {
	if s.StaleAfter == 0 {
		return max(time.Hour, 3*s.LookupEvery())
	}
	return s.StaleAfter
}

// Check returns everything that is wrong with the settings.
func (s Settings) Check() error {
	var errs []error
	if s.Every < 0 {
		errs = append(errs, fmt.Errorf("lookups every %s: must be longer than 0", s.Every))
	}
	if s.StaleAfter != 0 && s.StaleAfter <= s.LookupEvery() {
		errs = append(errs, fmt.Errorf("stale after %s: must be longer than the time between lookups (%s)", s.StaleAfter, s.LookupEvery()))
	}
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil {
			errs = append(errs, fmt.Errorf("time zone %q is not known; use an IANA name such as America/Chicago", s.Zone))
		}
	}
	return errors.Join(errs...)
}

// Location returns the time zone of a property: its own, else the account's, else the configured one. Where
// none of them names one that we know, it is UTC, and certain is false: "today" may be a day off.
func (s Settings) Location(property, account string) (loc *time.Location, certain bool) {
	for _, name := range []string{property, account, s.Zone} {
		if name == "" || name == "Local" {
			continue
		}
		if loc, err := loadZone(name); err == nil {
			return loc, true
		}
	}
	return time.UTC, false
}

// zones are those that were loaded: a *time.Location for each name. A lookup asks for one with each property, and to read
// its file each time was a sixth of the work of a quiet one.
var zones sync.Map

// loadZone is time.LoadLocation, which reads a file each time.
func loadZone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, loc)
	}
	return loc, err
}

// Window is the range of nights [from, to) that are looked up for a property, by its own today.
func (s Settings) Window(now time.Time, property, account string) (from, to ownerrez.Date) {
	loc, _ := s.Location(property, account)
	today := ownerrez.Today(now, loc)
	return today.AddDays(-WindowPast), today.AddDays(WindowAhead)
}
