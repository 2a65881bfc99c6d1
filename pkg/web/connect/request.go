package connect

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// How long browsers keep what they are given.
const (
	flowCookieLife    = time.Hour
	accountCookieLife = 400 * 24 * time.Hour // the longest that browsers allow
)

// maxParameter is how long a parameter may be, in bytes.
const maxParameter = 2 << 10

// onceEach reads parameters of a query. It reports false if one of them comes twice, is too long, or if the query cannot
// be read: nobody whom we sent came by such an address. Others are ignored.
func onceEach(query string, names ...string) (map[string]string, bool) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, false
	}
	out := map[string]string{}
	for name, all := range values {
		if !slices.Contains(names, name) {
			continue
		}
		if len(all) != 1 || len(all[0]) > maxParameter {
			return nil, false
		}
		out[name] = all[0]
	}
	return out, true
}

// flowCookie is the name of the cookie of a flow: each has its own, so that two tabs do not disturb one another.
func flowCookie(flow string) string { return "__Host-connect-" + flow[:min(len(flow), 16)] }

// accountCookie is the name of the cookie of a browser that has connected an account.
func accountCookie(account int64) string { return "__Host-account-" + strconv.FormatInt(account, 10) }

// secretOf is what the browser keeps in a cookie; empty if it has none, or two of that name.
func secretOf(r *http.Request, name string) string {
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// setCookie has the browser keep a secret for us alone: it sends it over TLS, to this host, and not with what other
// sites have it load. It has to send it when the host comes back from OwnerRez, so SameSite is Lax.
func setCookie(w http.ResponseWriter, name, secret string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: secret, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
