package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/env"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
	webconnect "github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

// connecting is what the environment says about connecting other people's accounts.
type connecting struct {
	app    *ownerrez.OAuthConfig // nil if there is none
	public string                // https://host, at which hosts and OwnerRez reach us; empty if they do not
	open   bool                  // everybody may connect
	hook   account.WebhookPair   // of the app's webhook; empty if there is none
}

// readConnecting reads it. With a personal token, OWNERREZ_USER_AGENT need not name the app.
func (c *connecting) readConnecting(r *env.Reader, personal bool) {
	id, secret := r.Get("OWNERREZ_CLIENT_ID"), r.Get("OWNERREZ_CLIENT_SECRET")
	c.hook = account.WebhookPair{User: r.Get("OWNERREZ_WEBHOOK_USER"), Password: r.Get("OWNERREZ_WEBHOOK_PASSWORD")}
	if (c.hook.User == "") != (c.hook.Password == "") {
		r.Wrong("OWNERREZ_WEBHOOK_USER and OWNERREZ_WEBHOOK_PASSWORD", errors.New("set both, or neither"))
	}
	switch mode := r.Get("OWNERREZ_CONNECT_MODE"); mode {
	case "", "invite":
	case "open":
		c.open = true
	default:
		r.Wrong("OWNERREZ_CONNECT_MODE", fmt.Errorf("%q must be invite or open", mode))
	}
	c.readPublic(r)
	switch {
	case id == "" && secret == "":
		if c.public != "" {
			r.Wrong("OWNERREZ_PUBLIC_URL", errors.New("needs an OAuth app: set OWNERREZ_CLIENT_ID and OWNERREZ_CLIENT_SECRET, too"))
		}
		return
	case id == "" || secret == "":
		r.Wrong("OWNERREZ_CLIENT_ID and OWNERREZ_CLIENT_SECRET", errors.New("set both, or neither"))
		return
	}
	config := ownerrez.OAuthConfig{App: readApp(r, id, personal), ClientSecret: secret}
	if _, err := ownerrez.NewAuthorizer(config); err != nil {
		r.Wrong("OWNERREZ_CLIENT_ID and OWNERREZ_CLIENT_SECRET", err)
		return
	}
	c.app = &config
}

// readApp reads how the app calls itself.
func readApp(r *env.Reader, id string, personal bool) ownerrez.App {
	const name = "OWNERREZ_USER_AGENT"
	app := ownerrez.App{Name: "ownerrez-lambda", Version: "1.0", ClientID: id}
	agent := r.Get(name)
	named, err := ownerrez.ParseApp(agent)
	switch {
	case agent == "", err != nil && personal:
	case err != nil:
		r.Wrong(name, err)
	case named.ClientID != id:
		r.Wrong(name, errors.New("names another app than OWNERREZ_CLIENT_ID"))
	default:
		app = named
	}
	return app
}

// readPublic reads the address at which we are reached from outside.
func (c *connecting) readPublic(r *env.Reader) {
	const name = "OWNERREZ_PUBLIC_URL"
	text := strings.TrimRight(r.Get(name), "/")
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Host)) {
		r.Wrong(name, errors.New("must be the address of this computer's tunnel, as in https://tunnel.example.com, without a path"))
		return
	}
	c.public = u.Scheme + "://" + u.Host
}

// guests are the accounts that hosts have connected on this computer.
type guests struct {
	connecting
	vault       *file.Vault
	connections *account.Connections
	webhooks    *account.WebhookSecrets
}

// The names of secrets in the file.
const (
	accountPrefix = "account/"
	webhookSecret = "webhook-key"
)

// secretsFile is where the tokens of connected accounts lie: beside the data file.
func secretsFile(data string) string {
	return strings.TrimSuffix(data, filepath.Ext(data)) + ".secrets.json"
}

// guests opens the connected accounts beside a data file; nil without an OAuth app.
func (p *program) guests(conf config, up *upstream, data string) (*guests, error) {
	if conf.app == nil {
		return nil, nil
	}
	secrets, err := file.Open(secretsFile(data))
	if err != nil {
		return nil, err
	}
	app := *conf.app
	g := &guests{connecting: conf.connecting, vault: secrets}
	g.connections = &account.Connections{
		Vault: secrets, Prefix: accountPrefix, Options: conf.options,
		App: func(context.Context) (ownerrez.OAuthConfig, error) { return app, nil },
		Key: func(context.Context) ([]byte, error) { return up.key, nil },
	}
	g.webhooks = &account.WebhookSecrets{Vault: secrets, Key: webhookSecret}
	return g, nil
}

// join lets a job look connected accounts up.
func (g *guests) join(job *lookup.Job) {
	if g == nil {
		return
	}
	job.Connections = g.connections
	if g.public != "" {
		job.Webhooks = &lookup.Webhooks{Base: g.public + webhook.Path + "/", Key: g.webhookKey}
	}
}

// webhookKey is the key of the accounts' webhooks, made when it is needed first.
func (g *guests) webhookKey(ctx context.Context) ([]byte, error) {
	key, err := g.webhooks.CurrentKey(ctx)
	if !errors.Is(err, vault.ErrNotFound) {
		return key, err
	}
	if _, err = g.vault.Create(ctx, webhookSecret, []byte(rand.Text()+rand.Text())); err != nil && !errors.Is(err, vault.ErrConflict) {
		return nil, err
	}
	if _, err = g.webhooks.Credentials(ctx, true); err != nil {
		return nil, err
	}
	return g.webhooks.CurrentKey(ctx)
}

// office is where hosts connect; nil where they cannot reach us.
func (g *guests) office(conf config, up *upstream, st *store.Store, send lane.Send) *connect.Office {
	if g == nil || g.public == "" {
		return nil
	}
	app := *g.app
	options := append([]ownerrez.Option(nil), conf.options...)
	options = append(options, ownerrez.WithLimiter(up.window.Limiter(budget.People)), ownerrez.WithObserver(up.window.Observe))
	return &connect.Office{
		Notes: st, Ask: st.Ask, Wake: send, Account: st.Account, Requested: st.Request, Connections: g.connections,
		App:       func(context.Context) (ownerrez.OAuthConfig, error) { return app, nil },
		PublicURL: g.public, Options: options, Open: g.open,
	}
}

// doors take in webhooks.
func (g *guests) doors(send lane.Send, log func(format string, args ...any)) http.Handler {
	return webhook.Handler(webhook.Options{
		Credentials: func(ctx context.Context, again bool) (account.WebhookCredentials, error) {
			known, err := g.webhooks.Credentials(ctx, again)
			if g.hook.User != "" {
				known.Pairs = append(known.Pairs[:0:0], g.hook)
			}
			return known, err
		},
		Wake: send,
		Count: func(_ context.Context, what webhook.Outcome, id int64, err error) {
			if err != nil {
				log("webhook: %s: %v", what, err)
			} else {
				log("webhook of account %d: %s", id, what)
			}
		},
	})
}

// outside serves what others may reach from outside: hosts who connect, and OwnerRez's webhooks. All else is for this
// computer, also where a tunnel calls us by the name that this computer has for itself.
func outside(inside http.Handler, office *connect.Office, doors http.Handler, onError func(error)) http.Handler {
	if office == nil {
		return onlyLoopback(inside)
	}
	pages := webconnect.Handler(office, webconnect.Options{AppName: appName(office), OnError: onError})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		switch {
		case path == connect.ConnectPath, strings.HasPrefix(path, connect.ConnectPath+"/"), path == connect.CallbackPath:
			pages.ServeHTTP(w, r)
		case path == webhook.Path, strings.HasPrefix(path, webhook.Path+"/"):
			doors.ServeHTTP(w, r)
		case forwarded(r):
			http.Error(w, "This is for the machine that it runs on.", http.StatusForbidden)
		default:
			onlyLoopback(inside).ServeHTTP(w, r)
		}
	})
}

// appName is how hosts are told to what they connect.
func appName(office *connect.Office) string {
	app, err := office.App(context.Background())
	if err != nil {
		return ""
	}
	return app.App.Name
}

// forwarded reports whether somebody carries the request on for another computer.
func forwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Cf-Connecting-Ip"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.Unmap().IsLoopback()
}
