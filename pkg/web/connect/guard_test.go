package connect_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
)

// guards are the headers of all that comes from the pages.
var guards = map[string]string{
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"Cache-Control":                "no-store",
	"X-Frame-Options":              "DENY",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"X-Robots-Tag":                 "noindex",
}

// look checks the headers of all that comes from the pages. What the browser is given to keep is a secret from then on,
// and so is the state that goes to OwnerRez.
func (b *browser) look(resp *http.Response) {
	b.t.Helper()
	if !b.ours(resp.Request.URL) {
		return
	}
	path := resp.Request.URL.Path
	for name, want := range guards {
		if got := resp.Header.Values(name); len(got) != 1 || got[0] != want {
			b.t.Errorf("%s: %s is %q", path, name, got)
		}
	}
	policy := resp.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") ||
		!strings.HasSuffix(policy, "'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'") {
		b.t.Errorf("%s: the policy is %q", path, policy)
	}
	if resp.StatusCode/100 == 3 {
		to, err := resp.Location()
		if err != nil || resp.StatusCode != http.StatusSeeOther {
			b.t.Errorf("%s: a redirect with %d, %v", path, resp.StatusCode, err)
		} else if !b.ours(to) {
			if path != connect.ConnectPath || !strings.HasPrefix(to.String(), b.at+"/oauth/authorize?") {
				b.t.Errorf("%s sends the browser to %s", path, to.Host)
			}
			b.hide(to.Query().Get("state"))
			resp.Header.Del("Location") // the one place where a state belongs
		}
	}
	for _, c := range resp.Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 {
			b.t.Errorf("cookie %s: %+v", c.Name, c)
		}
		b.hide(c.Value)
	}
	for name, values := range resp.Header {
		if name != "Set-Cookie" {
			b.secretless(path+": the header "+name, strings.Join(values, "\n"))
		}
	}
}

// ours reports whether an address is one of the pages'.
func (s *site) ours(u *url.URL) bool { return u.Scheme+"://"+u.Host == s.pages.URL }

// hide makes something a secret: nothing may show it.
func (s *site) hide(secret string) {
	s.t.Helper()
	if len(secret) < 26 {
		s.t.Errorf("a secret of %d characters", len(secret))
		return
	}
	s.codes = append(s.codes, secret)
}

// secretless fails if a text holds a secret of OwnerRez or of ours.
func (s *site) secretless(what, text string) {
	s.t.Helper()
	for _, secret := range append(s.server.Secrets(), s.codes...) {
		if secret != "" && strings.Contains(text, secret) {
			s.t.Errorf("%s holds a secret: %s", what, text)
		}
	}
}

var (
	ownInvite = regexp.MustCompile(`<input type="hidden" name="invite" value="[^"]*">`) // on a page that it has opened
	styles    = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	addresses = regexp.MustCompile(`(?:href|action|src|content)="([^"]*)"`)
)

// whole fails if a page holds a secret or anything of another site, or is not one that everybody can use.
func (b *browser) whole(v view) {
	b.t.Helper()
	b.secretless(v.url.Path, ownInvite.ReplaceAllString(v.text, ""))
	if !strings.HasPrefix(v.text, "<!DOCTYPE html>") {
		return
	}
	for _, once := range []string{`<html lang="en">`, "<h1>", "<main class=\"", "<title>", "<style>", `name="viewport" content="width=device-width, initial-scale=1"`} {
		if strings.Count(v.text, once) != 1 {
			b.t.Errorf("%s has %d of %s", v.url.Path, strings.Count(v.text, once), once)
		}
	}
	sum := sha256.Sum256([]byte(styles.FindStringSubmatch(v.text)[1]))
	if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(v.header.Get("Content-Security-Policy"), "'sha256-"+hash+"'") {
		b.t.Errorf("%s: the policy does not allow the style", v.url.Path)
	}
	for _, bad := range []string{"<script", "src=", "@import", "url(", "<b>", "<img", "style=\"", "javascript:", "ZgotmplZ", "<no value>", "%!"} {
		if strings.Contains(v.text, bad) {
			b.t.Errorf("%s holds %s", v.url.Path, bad)
		}
	}
	for _, found := range addresses.FindAllStringSubmatch(v.text, -1) {
		if strings.Contains(found[1], "//") && !strings.HasPrefix(found[1], returnTo) {
			b.t.Errorf("%s leads to %s", v.url.Path, found[1])
		}
	}
}

// returnTo is what the return addresses of invitations begin with.
const returnTo = "https://partner.example.com/"
