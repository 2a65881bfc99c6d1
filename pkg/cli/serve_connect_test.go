package cli

import (
	"strings"
	"testing"
)

// Only the first host is invited by serve: later starts show no link that would let somebody in.
func TestServeInvitesTheFirst(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	w = w.with("OWNERREZ_USER_AGENT", agent)
	first := w.start(t, "serve")
	if w.connects(t, tn, first); !strings.Contains(first.stderr.String(), "within a week") {
		t.Errorf("%s", first.stderr)
	}
	first.stop(t)
	w.callsItself(t, agent)
	second := w.start(t, "serve")
	second.eventually(t, "it says how to invite", func() bool { return strings.Contains(second.stderr.String(), "ownerrez accounts invite") })
	second.stop(t)
	if invitation.MatchString(second.stderr.String()) {
		t.Errorf("it invites again: %s", second.stderr)
	}
}

// In open mode nobody needs an invitation, and none is made.
func TestServeOpen(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	w = w.with("OWNERREZ_CONNECT_MODE", "open")
	r := w.start(t, "serve")
	r.eventually(t, "it says where to connect", func() bool { return strings.Contains(r.stderr.String(), tn.URL+"/connect\n") })
	w.connectsBy(t, tn, r, tn.URL+"/connect", 123456)
	r.stop(t)
	if invitation.MatchString(r.stderr.String()) {
		t.Errorf("it invites: %s", r.stderr)
	}
}

// With an OAuth app, serve shows no demo; without a public address it says that hosts cannot connect.
func TestServeWithAnAppAlone(t *testing.T) {
	t.Parallel()
	w, _ := connectingWorld(t)
	w = w.with("OWNERREZ_PUBLIC_URL", "")
	r := w.start(t, "serve")
	r.eventually(t, "it says what is missing", func() bool { return strings.Contains(r.stderr.String(), "OWNERREZ_PUBLIC_URL") })
	for _, path := range []string{"/connect", "/oauth/callback", "/connect/result", "/connect/leave", "/webhooks/ownerrez"} {
		if code, _ := get(t, r.url+path, ""); code != 404 {
			t.Errorf("GET %s: %d", path, code)
		}
	}
	if code, page := get(t, r.url+"/", ""); code != 200 || strings.Contains(page, "invented") {
		t.Errorf("%d, a demo: %v", code, strings.Contains(page, "invented"))
	}
	r.stop(t)
	if strings.Contains(r.stderr.String(), "demo") || w.Count() > 0 {
		t.Errorf("%d requests\n%s", w.Count(), r.stderr)
	}
}

// The commands that need credentials of one's own do not care for the OAuth app.
func TestLookupWithAnApp(t *testing.T) {
	t.Parallel()
	w, _ := connectingWorld(t)
	for _, command := range [][]string{append([]string{"lookup"}, w.dates()...), {"properties"}} {
		w.run(t, command...).want(t, 2, "there are no credentials")
		w.with("OWNERREZ_EMAIL", email, "OWNERREZ_TOKEN", token, "OWNERREZ_CLIENT_SECRET", "", "OWNERREZ_PUBLIC_URL", "x").run(t, command...).want(t, 0)
	}
}
