package calendar

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Options are what the page and the API may be told. The zero Options are the defaults.
type Options struct {
	Settings lookup.Settings  // by which nights are shown
	Now      func() time.Time // nil means time.Now
	Refresh  time.Duration    // how often the page loads itself again, in whole seconds; 0 means every minute
	Demo     bool             // say that OwnerRez, its host and its guests are invented
	OnError  func(error)      // told why a page or an answer could not be made; the reader is not
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// Handler serves the calendar page at GET /, and below /v1/ the API, over one store. The page shows all accounts that
// have not left, and those credentials among configured whose account could not be learned; it needs no JavaScript
// and loads nothing.
func Handler(store lookup.Store, configured account.Source, opts Options) http.Handler {
	page, api := pageHandler(fromStore(store, configured), opts), API(store, opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			api.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// pageHandler serves the page at GET /, and nothing else.
func pageHandler(snapshots source, opts Options) http.Handler {
	opts = opts.withDefaults()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		snaps, err := snapshots(r.Context())
		if err == nil {
			err = pageTemplate.Execute(&body, newPage(snaps, opts, r.URL.Query().Get("refresh") != "off"))
		}
		if err != nil {
			opts.OnError(err)
			http.Error(w, "The calendar cannot be shown: what is kept of it could not be read.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body.Bytes()) // the reader has left: nobody is there to be told
	})
	return guarded(mux)
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refresh == 0 {
		o.Refresh = time.Minute
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return o
}

// guarded lets a browser show the page and its own style, and nothing more.
func guarded(next http.Handler) http.Handler {
	sum := sha256.Sum256([]byte(pageCSS))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
