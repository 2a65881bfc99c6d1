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
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account/connect"
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
	mux.HandleFunc("GET "+connect.ConnectPath, p.begin)
	mux.HandleFunc("GET "+connect.CallbackPath, p.callback)
	mux.HandleFunc("GET "+connect.ResultPath, p.result)
	mux.HandleFunc("GET "+connect.LeavePath, p.mayLeave)
	mux.HandleFunc("POST "+connect.LeavePath, p.leave)
	own := http.NewCrossOriginProtection() // another site cannot have a host's browser disconnect an account
	if u, err := url.Parse(office.PublicURL); err == nil && u.Host != "" {
		_ = own.AddTrustedOrigin(u.Scheme + "://" + u.Host) // a tunnel may name another host to us
	}
	return guarded(own.Handler(looking(mux)))
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

// looking answers those who only look whether something is there, which is to have no effect.
func looking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", htmlType)
			w.WriteHeader(http.StatusOK)
			return
		}
		next.ServeHTTP(w, r)
	})
}

const htmlType = "text/html; charset=utf-8"

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
	end := connect.Ending{Kind: connect.WrongState}
	if ok {
		var err error
		end, err = p.office.Result(r.Context(), connect.Browser{Flow: flow, Secret: secretOf(r, flowCookie(flow))})
		if err != nil {
			p.broken(w, err)
			return
		}
	}
	page := p.page(end, flow)
	if end.Kind == connect.Connected || end.Kind == connect.Reconnected {
		page.Lines = append(page.Lines, p.calendarWords(r, end, &page))
	}
	if n, _ := strconv.Atoi(q["n"]); page.again {
		if n >= 0 && n < maxReloads {
			page.Reload = "5; url=" + connect.ResultPath + "?flow=" + url.QueryEscape(flow) + "&n=" + strconv.Itoa(n+1)
		}
	}
	p.show(w, page)
}

// maxReloads is how often a page that waits for something loads itself again: for three minutes.
const maxReloads = 36

// leaver is who asks to leave.
func leaver(r *http.Request, invite, id string) connect.Leaver {
	account, _ := strconv.ParseInt(id, 10, 64)
	return connect.Leaver{Account: account, Key: secretOf(r, accountCookie(account)), Invite: invite}
}

// mayLeave shows what leaving means, and the button.
func (p *pages) mayLeave(w http.ResponseWriter, r *http.Request) {
	q, ok := onceEach(r.URL.RawQuery, "account", "invite", "done")
	switch {
	case !ok:
		p.show(w, p.page(connect.Ending{Kind: connect.NotKnownBrowser}, ""))
		return
	case q["done"] != "":
		p.show(w, p.page(connect.Ending{Kind: connect.Leaving}, ""))
		return
	}
	end, err := p.office.MayLeave(r.Context(), leaver(r, q["invite"], q["account"]))
	switch {
	case err != nil:
		p.broken(w, err)
	case end.Kind == connect.Connected:
		p.show(w, p.leavePage(end, q["invite"]))
	default:
		p.show(w, p.page(end, ""))
	}
}

// leave has the account disconnected.
func (p *pages) leave(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		p.show(w, p.page(connect.Ending{Kind: connect.NotKnownBrowser}, ""))
		return
	}
	end, err := p.office.Leave(r.Context(), leaver(r, r.PostForm.Get("invite"), r.PostForm.Get("account")))
	switch {
	case err != nil:
		p.broken(w, err)
	case end.Kind == connect.Leaving:
		redirect(w, connect.LeavePath+"?done=1")
	default:
		p.show(w, p.page(end, ""))
	}
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
	p.show(w, p.brokenPage())
}

// redirect has the browser get another address.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
