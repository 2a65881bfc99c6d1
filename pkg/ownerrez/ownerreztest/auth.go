package ownerreztest

import (
	"net/http"
	"strings"
)

// credential is what a request says about who sends it.
type credential struct {
	kind       string // "pat", "bearer", "" for none, "bad" for a header that is neither
	user, pass string // of "pat"
	token      string // of "bearer"
}

// credentialOf reads the Authorization header.
func credentialOf(r *http.Request) credential {
	header := r.Header.Get("Authorization")
	if header == "" {
		return credential{}
	}
	if user, pass, ok := r.BasicAuth(); ok {
		return credential{kind: "pat", user: user, pass: pass}
	}
	if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "bearer") {
		return credential{kind: "bearer", token: strings.TrimSpace(token)}
	}
	return credential{kind: "bad"}
}

// owner is the account whose valid token the request carries; 0: nobody's. The server is locked.
func (s *Server) owner(c *call) int64 {
	switch cred := credentialOf(c.r); cred.kind {
	case "pat":
		return s.patOwner(cred.user, cred.pass)
	case "bearer":
		return s.tokenOwner(cred.token, c)
	}
	return 0
}

// patOwner is the account that e-mail and personal token belong to.
func (s *Server) patOwner(user, pass string) int64 {
	for id, acc := range s.accounts {
		switch {
		case !strings.HasPrefix(acc.PAT, "pt_"):
		case s.quirks.PATAsUserName && user == acc.PAT && pass == "":
			return id
		case !s.quirks.PATAsUserName && pass == acc.PAT && strings.EqualFold(user, acc.Email):
			return id
		}
	}
	return 0
}

// tokenOwner is the account that gave an access token.
func (s *Server) tokenOwner(text string, c *call) int64 {
	if !strings.HasPrefix(text, "at_") {
		return 0
	}
	if t := s.tokens[text]; t != nil && t.kind == accessToken && t.valid(c.at) {
		return t.account
	}
	for id, acc := range s.accounts {
		if acc.AccessToken == text {
			return id
		}
	}
	return 0
}

// checkCaller says who calls, or refuses. The server is locked.
func (s *Server) checkCaller(c *call) (*account, answer, bool) {
	q := s.quirks
	cred := credentialOf(c.r)
	switch cred.kind {
	case "":
		return nil, q.failure(http.StatusUnauthorized, "auth_required", "Authentication is required."), false
	case "bad":
		return nil, q.failure(http.StatusUnauthorized, "invalid_request", "The Authorization header is malformed."), false
	}
	if cred.kind == "bearer" && !strings.Contains(c.r.UserAgent(), "(c_") {
		return nil, q.noUserAgent(), false
	}
	acc := s.accounts[c.account]
	if acc == nil {
		return nil, q.failure(http.StatusUnauthorized, "invalid_token", "The token is not valid."), false
	}
	if cred.kind == "pat" && s.thirdAccount(c) {
		return nil, q.patLimit(), false
	}
	if acc.Refuse != "" {
		return nil, q.failure(http.StatusForbidden, acc.Refuse, "Access is refused: "+acc.Refuse+"."), false
	}
	if c.as != 0 {
		if acc = s.accounts[c.as]; acc == nil {
			return nil, q.failure(http.StatusUnauthorized, "invalid_token", "The token is not valid."), false
		}
	}
	return acc, answer{}, true
}

// anonymous reports whether the request does not say which program sends it.
func anonymous(r *http.Request) bool {
	agent := strings.TrimSpace(r.UserAgent())
	return agent == "" || strings.HasPrefix(agent, "Go-http-client")
}

// noUserAgent is the answer to a missing User-Agent: the edge's own page, or the documented error.
func (q Quirks) noUserAgent() answer {
	switch q.UserAgentStatus {
	case 0, http.StatusForbidden:
		return htmlPage(http.StatusForbidden)
	}
	return q.failure(q.UserAgentStatus, "user_agent_required", "A User-Agent header that identifies your app is required.")
}

// patLimit is the answer to the third account. Its true shape is not known.
func (q Quirks) patLimit() answer {
	const message = "This IP address has used personal access tokens of two other accounts within 24 hours."
	switch q.PATLimitStatus {
	case 0:
		return q.failure(http.StatusForbidden, "forbidden", message)
	case http.StatusTooManyRequests:
		return jsonAnswer(http.StatusTooManyRequests, map[string]any{"code": 429, "error": message})
	}
	return q.failure(q.PATLimitStatus, codes[q.PATLimitStatus], message)
}
