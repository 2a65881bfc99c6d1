package ownerreztest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The routes, below the base path.
const (
	bookingsPath   = "/v2/bookings"
	propertiesPath = "/v2/properties"
	mePath         = "/v2/users/me"
	lookupPath     = "/api/properties/lookup"
	hooksPath      = "/v2/webhooksubscriptions"
	categoriesPath = hooksPath + "/categories"
	authorizePath  = "/oauth/authorize"
	tokenPath      = "/oauth/access_token" //nolint:gosec // a path, not a token
	tokenAlias     = "/oauth/token"        //nolint:gosec // a path, not a token
)

// process answers from the world. The server is locked.
func (s *Server) process(c *call) answer {
	path, method := c.r.URL.Path, c.r.Method
	if !c.inside || s.wrongHost(c) {
		return htmlPage(http.StatusNotFound)
	}
	if path == authorizePath && (method == http.MethodGet || method == http.MethodPost) {
		return s.consent(c)
	}
	if anonymous(c.r) {
		return s.quirks.noUserAgent()
	}
	if most := s.quirks.MaxQuery; most > 0 && len(c.r.URL.RawQuery) > most {
		return htmlPage(http.StatusRequestURITooLong)
	}
	switch {
	case (path == tokenPath || path == tokenAlias) && method == http.MethodPost:
		return s.grant(c)
	case strings.HasPrefix(path, tokenPath+"/") && method == http.MethodDelete:
		return s.revoke(c, strings.TrimPrefix(path, tokenPath+"/"))
	}
	acc, refusal, ok := s.checkCaller(c)
	if !ok {
		return refusal
	}
	if path == hooksPath || strings.HasPrefix(path, hooksPath+"/") {
		return s.subscriptions(c, acc)
	}
	return s.read(c, acc)
}

// read answers the reads of an account.
func (s *Server) read(c *call, acc *account) answer {
	if c.r.Method != http.MethodGet {
		return unsupported(c)
	}
	path := c.r.URL.Path
	known := func(names ...string) bool { return s.quirks.IgnoreUnknownParameter || !c.strange(names) }
	switch {
	case path == mePath && known():
		return s.me(acc)
	case path == lookupPath && known():
		return lookup(acc)
	case path == bookingsPath && known(bookingParameters...):
		return s.listBookings(c, acc)
	case path == propertiesPath && known(propertyParameters...):
		return s.listProperties(c, acc)
	case numbered(path, bookingsPath) && known(bookingParameters...):
		return s.booking(c, acc, path[len(bookingsPath)+1:])
	case numbered(path, propertiesPath) && known(propertyParameters...):
		return s.property(acc, path[len(propertiesPath)+1:])
	}
	return unsupported(c)
}

// wrongHost reports whether the Host does not serve the path, where the quirks tell the hosts apart.
func (s *Server) wrongHost(c *call) bool {
	path := c.r.URL.Path
	if path == tokenAlias || path == tokenPath || strings.HasPrefix(path, tokenPath+"/") {
		return s.quirks.TokenHost != "" && c.r.Host != s.quirks.TokenHost
	}
	web := path == lookupPath || path == authorizePath
	return s.quirks.AppHost != "" && web != (c.r.Host == s.quirks.AppHost)
}

// strange reports whether the query has a parameter that is not in names.
func (c *call) strange(names []string) bool {
	for key := range c.query {
		if !slices.Contains(names, key) {
			return true
		}
	}
	return false
}

// numbered reports whether path is below list and ends with a number.
func numbered(path, list string) bool {
	id, ok := strings.CutPrefix(path, list+"/")
	if !ok {
		return false
	}
	_, err := strconv.ParseInt(id, 10, 64)
	return err == nil
}
