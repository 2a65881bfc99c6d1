package env_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/env"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

func reader(pairs ...string) *env.Reader {
	set := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = pairs[i+1]
	}
	return env.New(func(name string) (string, bool) {
		value, ok := set[name]
		return value, ok
	})
}

func TestDefaults(t *testing.T) {
	r := reader("OWNERREZ_STALE_AFTER", "0m", "OWNERREZ_TIME_ZONE", "", "OWNERREZ_API_URL", " ")
	if set := r.Settings(); set != (lookup.Settings{}) {
		t.Errorf("settings %+v", set)
	}
	if n := r.PerFive(); n != 240 {
		t.Errorf("%d requests in five minutes", n)
	}
	if where := r.OwnerRez(); where.Host != "api.ownerrez.com" {
		t.Errorf("host %q", where.Host)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestValues(t *testing.T) {
	r := reader("OWNERREZ_LOOKUP_EVERY", "5m", "OWNERREZ_STALE_AFTER", "1h", "OWNERREZ_TIME_ZONE", "America/Chicago",
		"OWNERREZ_REQUESTS_PER_5_MINUTES", " 300 ", "OWNERREZ_API_URL", "http://Fake.Test:8090/base", "OWNERREZ_ALLOW_HTTP_HOST", "fake.test")
	want := lookup.Settings{Every: 5 * time.Minute, StaleAfter: time.Hour, Zone: "America/Chicago"}
	if set := r.Settings(); set != want {
		t.Errorf("settings %+v, want %+v", set, want)
	}
	if n := r.PerFive(); n != 300 {
		t.Errorf("%d requests in five minutes", n)
	}
	if where := r.OwnerRez(); where.Host != "fake.test:8090" || len(where.Options) != 2 {
		t.Errorf("%+v", where)
	}
	if name := r.Need("OWNERREZ_TIME_ZONE", "a zone"); name != "America/Chicago" {
		t.Errorf("%q", name)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

// All that is wrong is told, each thing once, by the variable that has to be mended.
func TestWrong(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"OWNERREZ_LOOKUP_EVERY", "often", `"often" is no time between lookups`},
		{"OWNERREZ_LOOKUP_EVERY", "-5m", "no time between lookups"},
		{"OWNERREZ_LOOKUP_EVERY", "500ms", "no time between lookups"},
		{"OWNERREZ_STALE_AFTER", "soon", "no age"},
		{"OWNERREZ_STALE_AFTER", "15m", "must be longer than the time between lookups"},
		{"OWNERREZ_TIME_ZONE", "Mars/Base", "IANA"},
		{"OWNERREZ_REQUESTS_PER_5_MINUTES", "29", "from 30 to 300"},
		{"OWNERREZ_REQUESTS_PER_5_MINUTES", "301", "from 30 to 300"},
		{"OWNERREZ_REQUESTS_PER_5_MINUTES", "many", "from 30 to 300"},
		{"OWNERREZ_API_URL", "http://example.com", "http"},
		{"OWNERREZ_APP_URL", "example.com", ""},
		{"NEEDED", " ", "must be set to something"},
	}
	for _, test := range tests {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			r := reader("NEEDED", "here", test.name, test.value)
			if test.name == "NEEDED" {
				r = reader(test.name, test.value)
			}
			r.Settings()
			r.PerFive()
			r.OwnerRez()
			r.Need("NEEDED", "something")
			err := r.Err()
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), test.name+": ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
