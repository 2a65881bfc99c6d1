package ownerreztest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Request is a request that the server saw. It never holds a token, code or secret: where one was, it says
// {token}.
type Request struct {
	N         int // 1 for the server's first
	At        time.Time
	Method    string
	Host      string
	Path      string // without the base path, unless it was outside it
	Query     string // without "?"
	UserAgent string
	IP        string
	Account   int64  // whose valid token it carried; 0: nobody's
	Status    int    // of the answer; 0: none was sent (yet)
	Faults    string // the names of the actions that hit it, "" for none
}

// Requests returns the requests that the server saw, the oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.log))
	for i, r := range s.log {
		all[i] = *r
	}
	return all
}

// Count returns how many requests the server saw.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// enter writes a request into the log. The server is locked.
func (s *Server) enter(c *call) {
	s.count++
	c.log = &Request{
		N: s.count, At: c.at, Method: c.r.Method, Host: c.r.Host, Path: withoutTokens(c.r.URL.Path),
		Query: queryWithoutTokens(c.r.URL.RawQuery), UserAgent: withoutTokens(c.r.UserAgent()), IP: c.ip, Account: c.account,
	}
	if s.maxLog > 0 && len(s.log) >= s.maxLog {
		s.log = slices.Delete(s.log, 0, len(s.log)-s.maxLog+1)
	}
	s.log = append(s.log, c.log)
}

// note writes into the log what became of a request.
func (s *Server) note(c *call, status int, hit hits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.log.Status, c.log.Faults = status, hit.String()
}

const tokenPlace = "{token}"

// tokenShape is what looks like a token, code or secret of OwnerRez. Client ids (c_…) are none.
var tokenShape = regexp.MustCompile(`\b(?:pt|at|tc|rt|s)_[^/&\s"()]+`)

// withoutTokens replaces what looks like a token, and what stands where a token belongs.
func withoutTokens(text string) string {
	if before, token, ok := strings.Cut(text, tokenPath+"/"); ok && token != "" {
		return before + tokenPath + "/" + tokenPlace
	}
	return tokenShape.ReplaceAllString(text, tokenPlace)
}

// secretParameters are parameters whose values are secrets, whatever they look like.
var secretParameters = []string{"code", "client_secret", "access_token", "refresh_token", "token", "password"}

// queryWithoutTokens does the same for a query. One that cannot be read is not kept.
func queryWithoutTokens(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "{unreadable}"
	}
	clean, changed := url.Values{}, false
	for key, list := range values {
		for _, value := range list {
			safe := withoutTokens(value)
			if slices.Contains(secretParameters, strings.ToLower(key)) {
				safe = tokenPlace
			}
			safeKey := withoutTokens(key)
			changed = changed || safe != value || safeKey != key
			clean.Add(safeKey, safe)
		}
	}
	if !changed {
		return raw
	}
	return strings.ReplaceAll(clean.Encode(), url.QueryEscape(tokenPlace), tokenPlace)
}
