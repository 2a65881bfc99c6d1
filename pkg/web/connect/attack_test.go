package connect_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
)

// Who only looks whether a link is good, or loads it before it was asked for, changes nothing.
func TestLookingConsumesNothing(t *testing.T) {
	s := newSite(t)
	link := s.invite(connect.Invitation{Account: hostID})
	b := s.browser()
	consent := b.get(link)
	back, err := s.server.Allow(consent.url.String(), hostID)
	if err != nil {
		t.Fatal(err)
	}
	asked := s.server.Count()
	for name, look := range map[string]struct {
		method string
		header map[string]string
		status int
	}{
		"HEAD":           {http.MethodHead, nil, 200},
		"prefetched":     {http.MethodGet, map[string]string{"Sec-Purpose": "prefetch;prerender"}, 503},
		"older prefetch": {http.MethodGet, map[string]string{"Purpose": "prefetch"}, 503},
	} {
		for _, address := range []string{link, back, consent.url.Query().Get("redirect_uri"), s.pages.URL + connect.ResultPath, s.pages.URL + connect.LeavePath} {
			v := b.send(look.method, address, nil, look.header)
			if v.status != look.status || len(v.header["Set-Cookie"]) > 0 || v.url.String() != address {
				t.Errorf("%s of %s: %d, %v", name, v.url.Path, v.status, v.header)
			}
		}
	}
	if s.server.Count() > asked {
		t.Error("OwnerRez was asked")
	}
	b.get(back).has(t, 200, "Connected")
}

// Other methods and addresses are refused.
func TestOtherRequests(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	for _, path := range []string{connect.ConnectPath, connect.CallbackPath, connect.ResultPath} {
		if v := b.post(s.pages.URL+path, url.Values{"invite": {"x"}}, nil); v.status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, v.status)
		}
	}
	for _, path := range []string{"/", "/connect/", "/connect/other", "/oauth", "/oauth/callback/x", "/v1/accounts"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if v := b.send(method, s.pages.URL+path, nil, nil); v.status != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, v.status)
			}
		}
	}
}

// What comes with an address is neither a header nor HTML, wherever it is shown.
func TestInjection(t *testing.T) {
	const evil = "x\r\nSet-Cookie: __Host-evil=1\r\n\r\n<script>alert(1)</script>\"'>"
	s := newSite(t)
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	flow := page.url.Query().Get("flow")
	for path, names := range map[string][]string{
		connect.ConnectPath:  {"invite", "flow"},
		connect.CallbackPath: {"state", "code", "error", "error_description"},
		connect.ResultPath:   {"flow", "n"},
		connect.LeavePath:    {"account", "invite", "n", "done"},
	} {
		for _, name := range names {
			for _, value := range []string{evil, flow + evil, flow[:16] + evil, strings.Repeat("x", 3000), ""} {
				v := b.get(s.pages.URL + path + "?" + url.Values{name: {value}}.Encode())
				if v.status/100 != 4 || len(v.header["Set-Cookie"]) > 0 || strings.Contains(v.text, "alert") {
					t.Errorf("%s?%s: %d, %v, %s", path, name, v.status, v.header, v.text)
				}
			}
		}
	}
	v := b.get(s.pages.URL + connect.ResultPath + "?" + url.Values{"flow": {flow}, "n": {evil}}.Encode())
	v.has(t, 200, "Connected")
	if strings.Contains(v.text, "alert") {
		t.Errorf("%s", v.text)
	}
	if len(s.errs) > 0 {
		t.Errorf("our own trouble: %v", s.errs)
	}
}

// A return address that is none, or a name that is HTML, does no harm even if it was stored.
func TestStoredInjection(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{Return: returnTo})), "allow", "123456")
	for _, evil := range []string{"javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//evil.example.com/", "/connect/leave", "https:evil.example.com", "java\nscript:alert(1)"} {
		s.rewrite(page.url.Query().Get("flow"), func(end *connect.Ending) {
			end.Return, end.Name = evil, `<script>alert("1")</script><img onerror='alert(1)'>`
		})
		v := b.get(page.url.String()) // which looks for such things
		v.has(t, 200, "&lt;script&gt;", "Disconnect this account")
		if strings.Contains(v.text, "Back to") {
			t.Errorf("a way back to %q: %s", evil, v.text)
		}
	}
	s.rewrite(page.url.Query().Get("flow"), func(end *connect.Ending) { end.Return = returnTo + `?a="><script>alert(1)</script>` })
	b.get(page.url.String()).has(t, 200, ">Back to partner.example.com</a>")
}

// A cookie that came in twice, or is another flow's, is none.
func TestForgedCookies(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	back, err := s.server.Allow(b.get(s.invite(connect.Invitation{})).url.String(), hostID)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	flow := connect.FlowOf(u.Query().Get("state"))
	name := "__Host-connect-" + flow[:16]
	for _, cookies := range []string{"", name + "=x", name + "=", name + "=" + flow, "connect-" + flow[:16] + "=x"} {
		s.browser().send(http.MethodGet, back, nil, map[string]string{"Cookie": cookies}).has(t, 403, "another browser")
	}
	b.send(http.MethodGet, back, nil, map[string]string{"Cookie": name + "=x"}).has(t, 403, "another browser") // beside its own
	own := b.client.Jar.Cookies(u)
	if len(own) != 1 {
		t.Fatalf("%d cookies", len(own))
	}
	s.browser().send(http.MethodGet, back, nil, map[string]string{"Cookie": name + "=" + own[0].Value + "; " + name + "=x"}).has(t, 403, "another browser")
	b.get(back).has(t, 200, "Connected")
}
