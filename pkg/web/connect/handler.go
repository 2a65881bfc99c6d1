package connect

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the pages' template and style
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
)

// Options are what the pages may be told. The zero Options are the defaults.
type Options struct {
	AppName string           // to what hosts connect; empty: "ownerrez-lambda"
	Now     func() time.Time // nil means time.Now
	OnError func(error)      // told why a page could not be made; the host is not
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// pages answers.
type pages struct {
	office *connect.Office
	opts   Options
}

// Handler serves the pages of an office: connect.ConnectPath, ResultPath and LeavePath, and CallbackPath, to which
// OwnerRez sends hosts back; and nothing else.
func Handler(office *connect.Office, opts Options) http.Handler {
	opts.AppName = cmp.Or(opts.AppName, "ownerrez-lambda")
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.OnError == nil {
		opts.OnError = func(error) {}
	}
	p := &pages{office, opts}
	mux := http.NewServeMux()
	for path, get := range map[string]http.HandlerFunc{
		connect.ConnectPath: p.begin, connect.CallbackPath: p.callback, connect.ResultPath: p.result, connect.LeavePath: p.mayLeave,
	} {
		mux.Handle("GET "+path, opened(get))
		mux.HandleFunc("HEAD "+path, looked)
	}
	mux.HandleFunc("POST "+connect.LeavePath, p.leave)
	return guarded(p.ownForms(mux))
}

// ownForms refuses forms of other sites, which could have a host's browser disconnect an account.
func (p *pages) ownForms(next http.Handler) http.Handler {
	own := http.NewCrossOriginProtection()
	if u, err := url.Parse(p.office.PublicURL); err == nil && u.Host != "" { // a tunnel may name another host to us
		if err = own.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			p.opts.OnError(err)
		}
	}
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.show(w, p.compose(foreignForm, connect.Ending{}, ""))
	}))
	return own.Handler(next)
}

// guarded lets a browser show the page and its own style, and send forms to us, and nothing more.
func guarded(next http.Handler) http.Handler {
	sum := sha256.Sum256([]byte(pageCSS))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

const htmlType = "text/html; charset=utf-8"

// looked answers those who only look whether something is there, which is to have no effect.
func looked(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", htmlType)
	w.WriteHeader(http.StatusOK)
}

// opened refuses browsers that load a page before anybody has asked for it: it is loaded again when somebody does.
func opened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose"), "prefetch") {
			http.Error(w, "This page is not loaded ahead.", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// begin sends the host to OwnerRez's consent page.
func (p *pages) begin(w http.ResponseWriter, r *http.Request) {
	q, ok := onceEach(r.URL.RawQuery, "invite", "flow")
	if !ok {
		p.show(w, p.page(connect.Ending{Kind: connect.NotInvited}, ""))
		return
	}
	var start connect.Start
	var err error
	if flow := q["flow"]; flow != "" {
		start, err = p.office.Again(r.Context(), connect.Browser{Flow: flow, Secret: secretOf(r, flowCookie(flow))})
	} else {
		start, err = p.office.Begin(r.Context(), q["invite"])
	}
	switch {
	case err != nil:
		p.broken(w, err)
	case start.Refused != "":
		p.show(w, p.page(connect.Ending{Kind: start.Refused}, ""))
	default:
		setCookie(w, flowCookie(start.Browser.Flow), start.Browser.Secret, flowCookieLife)
		redirect(w, start.URL)
	}
}

// callback takes the host back from OwnerRez. What came with the address leaves the browser's address bar at once, and
// how it ended is shown under another one.
func (p *pages) callback(w http.ResponseWriter, r *http.Request) {
	q, ok := onceEach(r.URL.RawQuery, "state", "code", "error")
	if !ok {
		p.show(w, p.page(connect.Ending{Kind: connect.WrongState}, ""))
		return
	}
	reply := connect.Reply{State: q["state"], Code: q["code"], Error: q["error"], Secret: secretOf(r, flowCookie(connect.FlowOf(q["state"])))}
	end, err := p.office.Finish(r.Context(), reply)
	switch {
	case err != nil:
		p.broken(w, err)
	case end.Flow == "" || end.Kind == connect.Busy: // the latter is to be loaded again
		p.show(w, p.page(end.Ending, end.Flow))
	default:
		if end.Key != "" {
			setCookie(w, accountCookie(end.Account), end.Key, accountCookieLife)
		}
		redirect(w, connect.ResultPath+"?flow="+end.Flow)
	}
}

// result shows how a flow ended.
func (p *pages) result(w http.ResponseWriter, r *http.Request) {
	q, ok := onceEach(r.URL.RawQuery, "flow", "n")
	flow := q["flow"]
	if !ok || flow == "" {
		p.show(w, p.page(connect.Ending{Kind: connect.WrongState}, ""))
		return
	}
	end, err := p.office.Result(r.Context(), connect.Browser{Flow: flow, Secret: secretOf(r, flowCookie(flow))})
	if err != nil {
		p.broken(w, err)
		return
	}
	page := p.page(end, flow)
	switch end.Kind {
	case connect.Connected, connect.Reconnected:
		page = p.connectedPage(r, end)
	case connect.WrongState:
		page = p.compose(pastResult, end, "")
	}
	page.reload(connect.ResultPath+"?flow="+url.QueryEscape(flow), q["n"])
	p.show(w, page)
}

// maxReloads is how often a page that waits for something loads itself again: for three minutes.
const maxReloads = 36

// reload has a page that waits for something load itself again in five seconds, as often as it is to. So far it has
// done so count times.
func (page *page) reload(address, count string) {
	n, _ := strconv.Atoi(count)
	if page.again && n >= 0 && n < maxReloads {
		page.Reload = "5; url=" + address + "&n=" + strconv.Itoa(n+1)
		page.Lines = append(page.Lines, "This page loads itself again until that is done.")
		page.Links = append(page.Links, link{"Stop loading it again", address + "&n=" + strconv.Itoa(maxReloads), false})
	} else if page.again {
		page.Lines = append(page.Lines, "Load this page again later to see how it went.")
	}
}

// leaver is who asks to leave.
func leaver(r *http.Request, invite, id string) connect.Leaver {
	account, _ := strconv.ParseInt(id, 10, 64)
	return connect.Leaver{Account: account, Key: secretOf(r, accountCookie(account)), Invite: invite}
}

// mayLeave shows what leaving means, and the button; or how far it has come.
func (p *pages) mayLeave(w http.ResponseWriter, r *http.Request) {
	q, ok := onceEach(r.URL.RawQuery, "account", "invite", "n")
	if !ok {
		p.show(w, p.page(connect.Ending{Kind: connect.NotKnownBrowser}, ""))
		return
	}
	end, err := p.office.MayLeave(r.Context(), leaver(r, q["invite"], q["account"]))
	if err != nil {
		p.broken(w, err)
		return
	}
	shown := p.page(end, "")
	switch end.Kind {
	case connect.Connected:
		shown = p.leavePage(end, q["invite"])
	case connect.Leaving:
		shown = p.leavingPage(r, end)
		if q["invite"] == "" { // the code of an invitation is in no page's head
			shown.reload(leaveAddress(end.Account), q["n"])
		}
	}
	p.show(w, shown)
}

// leave has the account disconnected.
func (p *pages) leave(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		p.show(w, p.page(connect.Ending{Kind: connect.NotKnownBrowser}, ""))
		return
	}
	invite := r.PostForm.Get("invite")
	end, err := p.office.Leave(r.Context(), leaver(r, invite, r.PostForm.Get("account")))
	switch {
	case err != nil:
		p.broken(w, err)
	case end.Kind == connect.Leaving && invite == "":
		redirect(w, leaveAddress(end.Account))
	case end.Kind == connect.Leaving: // the invitation is used up, and would not open that page
		p.show(w, p.leavingPage(r, end))
	default:
		p.show(w, p.page(end, ""))
	}
}

// leaveAddress is where the browser that has connected an account may disconnect it, and sees how that goes.
func leaveAddress(account int64) string {
	return connect.LeavePath + "?account=" + strconv.FormatInt(account, 10)
}

// show writes a page.
func (p *pages) show(w http.ResponseWriter, page page) {
	page.Style = template.CSS(pageCSS) //nolint:gosec // our own file
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, page); err != nil {
		p.opts.OnError(err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	if page.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Set("Content-Type", htmlType)
	w.WriteHeader(page.status)
	_, _ = w.Write(body.Bytes()) // the host has left: nobody is there to be told
}

// broken says that the trouble is our own.
func (p *pages) broken(w http.ResponseWriter, err error) {
	p.opts.OnError(err)
	p.show(w, p.compose(ownTrouble, connect.Ending{}, ""))
}

// redirect has the browser get another address.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
