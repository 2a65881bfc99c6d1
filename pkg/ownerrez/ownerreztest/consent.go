package ownerreztest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// consentForm is the page on which a host allows an app to use the account. A real one knows who is logged
// in; here one chooses.
var consentForm = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Authorize {{.App.Name}}</title></head>
<body>
<h1>Authorize {{.App.Name}}</h1>
<p>{{.App.Name}} ({{.App.ClientID}}) asks for access to your OwnerRez account. This is a test server: choose whose.</p>
<form method="post" action="{{.Action}}">
{{range $key, $value := .Hidden}}<input type="hidden" name="{{$key}}" value="{{$value}}">
{{end}}<p><label>Account <select name="account">
{{range .Accounts}}<option value="{{.ID}}">{{.Name}} ({{.Email}})</option>
{{end}}</select></label></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p>
</form>
</body>
</html>
`))

// consentParameters are what an app sends along with the host's browser.
var consentParameters = []string{"response_type", "client_id", "redirect_uri", "state", "scope"}

// consent answers GET and POST /oauth/authorize. The server is locked.
func (s *Server) consent(c *call) answer {
	params := c.query
	if c.r.Method == http.MethodPost {
		params = c.form
	}
	app, err := s.asking(params)
	if err != nil {
		return textAnswer(http.StatusBadRequest, htmlType, []byte("<!DOCTYPE html><title>Error</title><p>"+template.HTMLEscapeString(err.Error())))
	}
	if params.Get("response_type") != "code" {
		return sendBack(params, "error", "unsupported_response_type")
	}
	if c.r.Method == http.MethodGet {
		return s.consentPage(c, app)
	}
	account, err := strconv.ParseInt(params.Get("account"), 10, 64)
	if params.Get("decision") == "deny" || err != nil || s.accounts[account] == nil {
		return deny(params)
	}
	return s.allow(params, account)
}

// asking is the app that asks, if what it sent is in order.
func (s *Server) asking(params url.Values) (App, error) {
	app, ok := s.apps[params.Get("client_id")]
	switch {
	case !ok:
		return App{}, errors.New("client_id: there is no such app")
	case params.Get("redirect_uri") != app.RedirectURL:
		return App{}, errors.New("redirect_uri is not the one that the app has registered")
	}
	return app, nil
}

func (s *Server) consentPage(c *call, app App) answer {
	hidden := map[string]string{}
	for _, key := range consentParameters {
		if c.query.Has(key) {
			hidden[key] = c.query.Get(key)
		}
	}
	var accounts []Account
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		accounts = append(accounts, s.accounts[id].Account)
	}
	var page bytes.Buffer
	err := consentForm.Execute(&page, map[string]any{
		"App": app, "Action": s.basePath + authorizePath, "Hidden": hidden, "Accounts": accounts,
	})
	if err != nil {
		panic("ownerreztest: consent page: " + err.Error())
	}
	return textAnswer(http.StatusOK, htmlType, page.Bytes())
}

// Allow plays the host who is led to authURL, the app's address of the consent page, and allows the app to
// use the account. It returns the address to which the browser is sent back, with code and state.
func (s *Server) Allow(authURL string, accountID int64) (callback string, err error) {
	return s.decide(authURL, func(params url.Values) answer { return s.allow(params, accountID) }, accountID)
}

// Deny plays the host who refuses. It returns the address to which the browser is sent back, with error and
// state.
func (s *Server) Deny(authURL string) (callback string, err error) {
	return s.decide(authURL, deny, 0)
}

func (s *Server) decide(authURL string, decision func(url.Values) answer, accountID int64) (string, error) {
	u, err := url.Parse(authURL)
	if err != nil {
		return "", errors.New("ownerreztest: the address of the consent page cannot be read")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if accountID != 0 && s.accounts[accountID] == nil {
		return "", fmt.Errorf("ownerreztest: there is no account %d", accountID)
	}
	if _, err := s.asking(u.Query()); err != nil {
		return "", fmt.Errorf("ownerreztest: %w", err)
	}
	if u.Query().Get("response_type") != "code" {
		return "", errors.New("ownerreztest: response_type must be code")
	}
	return decision(u.Query()).header["Location"], nil
}

// allow gives the app a code.
func (s *Server) allow(params url.Values, account int64) answer {
	code := s.issue(token{
		kind: authorizationCode, account: account, client: params.Get("client_id"),
		redirect: params.Get("redirect_uri"), expires: s.now().Add(codeLife),
	})
	return sendBack(params, "code", code)
}

func deny(params url.Values) answer {
	return sendBack(params, "error", "access_denied", "error_description", "The user denied the request.")
}

// sendBack redirects the browser to the app, with pairs of key and value.
func sendBack(params url.Values, pairs ...string) answer {
	target, err := url.Parse(params.Get("redirect_uri"))
	if err != nil {
		return htmlPage(http.StatusBadRequest)
	}
	query := target.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	if params.Has("state") {
		query.Set("state", params.Get("state"))
	}
	target.RawQuery = query.Encode()
	return textAnswer(http.StatusFound, htmlType, nil).with("Location", target.String())
}

// displayName is how OwnerRez calls an account to an app.
func (a Account) displayName() string { return cmp.Or(a.Name, a.Email) }
