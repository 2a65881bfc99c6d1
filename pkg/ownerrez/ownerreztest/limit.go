package ownerreztest

import "time"

// What one IP address may do.
const (
	rateLimit   = 300             // requests
	rateWindow  = 5 * time.Minute // in any such time
	patAccounts = 2               // accounts by personal token
	patWindow   = 24 * time.Hour  // in any such time
)

// usage is what an IP address has done lately.
type usage struct {
	sent []time.Time         // the requests of the last five minutes, oldest first
	pats map[int64]time.Time // accounts reached by personal token, and when they last were
}

func (s *Server) usageOf(ip string) *usage {
	u := s.limits[ip]
	if u == nil {
		u = &usage{pats: map[int64]time.Time{}}
		s.limits[ip] = u
	}
	return u
}

// overLimit counts the request and reports whether it is one too many. The consent page is for people and
// does not count. The server is locked.
func (s *Server) overLimit(c *call) bool {
	if s.quirks.RateLimitOff || c.r.URL.Path == authorizePath {
		return false
	}
	u := s.usageOf(c.ip)
	old := 0
	for old < len(u.sent) && c.at.Sub(u.sent[old]) >= rateWindow {
		old++
	}
	u.sent = u.sent[old:]
	over := len(u.sent) >= rateLimit
	if !over || s.quirks.RefusedCount {
		u.sent = append(u.sent, c.at)
	}
	return over
}

// thirdAccount notes which account the address reaches by personal token, and reports whether it is one too
// many. The server is locked.
func (s *Server) thirdAccount(c *call) bool {
	if s.quirks.PATLimitOff {
		return false
	}
	pats := s.usageOf(c.ip).pats
	for id, last := range pats {
		if c.at.Sub(last) >= patWindow {
			delete(pats, id)
		}
	}
	if _, known := pats[c.account]; !known && len(pats) >= patAccounts {
		return true
	}
	pats[c.account] = c.at
	return false
}
