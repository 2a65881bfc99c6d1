package ownerreztest

import (
	"cmp"
	"mime"
	"net/http"
	"time"
)

// grant answers POST /oauth/access_token. The server is locked.
func (s *Server) grant(c *call) answer {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get(contentType))
	if kind != "application/x-www-form-urlencoded" {
		return oauthFailure(http.StatusBadRequest, "invalid_request", "The body must be a form.")
	}
	if s.quirks.RefuseRedirectURI && c.form.Has("redirect_uri") {
		return s.quirks.failure(http.StatusForbidden, "forbidden", "Forbidden.")
	}
	grantType := c.form.Get("grant_type")
	client, ok := s.client(c, grantType == "refresh_token" && !s.quirks.RefreshNeedsBasic)
	if !ok {
		return oauthFailure(http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
	}
	switch grantType {
	case "authorization_code":
		return s.exchange(c, client)
	case "refresh_token":
		return s.refresh(c, client)
	}
	return oauthFailure(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported.")
}

// client is the app that authenticates itself. Where it need not, one that does not is "".
func (s *Server) client(c *call, optional bool) (id string, ok bool) {
	user, pass, sent := c.r.BasicAuth()
	if !sent {
		return "", optional && c.r.Header.Get("Authorization") == ""
	}
	app, known := s.apps[user]
	return user, known && app.ClientSecret == pass
}

// exchange gives tokens for a code.
func (s *Server) exchange(c *call, client string) answer {
	code := s.tokens[c.form.Get("code")]
	switch {
	case code == nil || code.kind != authorizationCode || code.client != client || !code.valid(c.at):
		return oauthFailure(http.StatusBadRequest, "invalid_grant", "The code is unknown, used or expired.")
	case code.redirect != c.form.Get("redirect_uri") && !s.quirks.RefuseRedirectURI:
		return oauthFailure(http.StatusBadRequest, "invalid_grant", "redirect_uri is not the one of the authorization.")
	}
	code.ended = true
	reply := s.newAccess(c, code.account, client)
	if s.quirks.TokensExpireIn > 0 {
		reply["refresh_token"] = s.issue(token{kind: refreshToken, account: code.account, client: client})
	}
	return jsonAnswer(http.StatusOK, reply)
}

// refresh gives tokens for a refresh token.
func (s *Server) refresh(c *call, client string) answer {
	old := s.tokens[c.form.Get("refresh_token")]
	if old == nil || old.kind != refreshToken || !old.valid(c.at) || (client != "" && client != old.client) {
		return oauthFailure(http.StatusBadRequest, "invalid_grant", "The refresh token is unknown, used or revoked.")
	}
	reply := s.newAccess(c, old.account, old.client)
	if s.quirks.RefreshRotates {
		old.ended = true
		reply["refresh_token"] = s.issue(token{kind: refreshToken, account: old.account, client: old.client})
	}
	return jsonAnswer(http.StatusOK, reply)
}

// newAccess makes an access token and the reply that tells it.
func (s *Server) newAccess(c *call, account int64, client string) map[string]any {
	t := token{kind: accessToken, account: account, client: client}
	reply := map[string]any{
		"token_type": "bearer", "scope": cmp.Or(s.quirks.OnlyScope, "full"),
		"user_id": account, "user_display_name": s.accounts[account].displayName(),
	}
	if life := s.quirks.TokensExpireIn; life > 0 {
		t.expires = c.at.Add(life)
		if s.quirks.ExpiresAt {
			reply["expires_at"] = t.expires.Format(time.RFC3339)
		} else {
			reply["expires_in"] = int(life / time.Second)
		}
	}
	reply["access_token"] = s.issue(t)
	return reply
}

// revoke answers DELETE /oauth/access_token/{token}. The server is locked.
func (s *Server) revoke(c *call, text string) answer {
	client, ok := s.client(c, false)
	if !ok {
		return oauthFailure(http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
	}
	t := s.tokens[text]
	if t == nil || t.client != client || !t.valid(c.at) {
		return s.quirks.failure(http.StatusNotFound, "not_found", "The token is not there.")
	}
	t.ended = true
	if s.quirks.RevokeEndsAllTokens {
		for _, other := range s.tokens {
			if other.account == t.account && other.client == client {
				other.ended = true
			}
		}
	}
	return answer{status: http.StatusNoContent}
}
