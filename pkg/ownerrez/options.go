package ownerrez

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Where OwnerRez is.
const (
	defaultAPIURL = "https://api.ownerrez.com"
	defaultAppURL = "https://app.ownerrez.com"
)

const (
	defaultUserAgent = "ownerrez-lambda/1.0 (+https://github.com/ownerrez-lambda/ownerrez-lambda)"
	defaultTimeout   = 30 * time.Second
	defaultMaxPages  = 1000
)

// Option changes how a Client works. The order of options does not matter; of two that set the same thing,
// the later one wins.
type Option func(*config)

type config struct {
	apiURL, appURL string
	httpHosts      []string
	http           *http.Client
	userAgent      *string
	limiter        Limiter
	retry          RetryPolicy
	observers      []func(context.Context, Exchange)
	maxPages       int
	errs           []error // what options found wrong with their own argument
}

// WithAPIURL says where the API is, without /v2: by default https://api.ownerrez.com. The URL may have a path.
func WithAPIURL(base string) Option { return func(c *config) { c.apiURL = base } }

// WithAppURL says where the web app is, which has the consent page and Properties.Lookup: by default
// https://app.ownerrez.com. The URL may have a path.
func WithAppURL(base string) Option { return func(c *config) { c.appURL = base } }

// WithAllowHTTPHost allows plain http for one more host than the loopback addresses, such as a test server's.
// Credentials can be read by anybody on the way to it. An empty host allows none.
func WithAllowHTTPHost(host string) Option {
	return func(c *config) { c.httpHosts = append(c.httpHosts, host) }
}

// WithHTTPClient sends through client, of which a copy is made: it then follows no redirects, and times out
// after 30 s unless it has a timeout. Its transport should speak HTTP/1.1, be no retrying one, and close idle
// connections early: only then does each permit of the Limiter stand for one request at most.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) {
		if client == nil {
			c.errs = append(c.errs, errors.New("the HTTP client is nil"))
			return
		}
		c.http = new(*client)
	}
}

// WithUserAgent names your program to OwnerRez: "My Program/1.0". With OAuth the App does that; a User-Agent
// given here must then have the same form.
func WithUserAgent(userAgent string) Option {
	return func(c *config) { c.userAgent = &userAgent }
}

// WithLimiter asks limiter for a permit before every attempt. By default each Client has a window of its own:
// 300 requests in 5 minutes and 10 seconds.
func WithLimiter(limiter Limiter) Option {
	return func(c *config) {
		c.limiter = limiter
		if limiter == nil {
			c.errs = append(c.errs, errors.New("the limiter is nil"))
		}
	}
}

// WithRetry says when a failed request is tried again. The zero RetryPolicy is the default; NoRetry turns it off.
func WithRetry(policy RetryPolicy) Option { return func(c *config) { c.retry = policy } }

// WithObserver calls observe after every attempt, with the context of the call, before the client goes on.
// Given several times, all are called, in order. It must be safe for concurrent use.
func WithObserver(observe func(context.Context, Exchange)) Option {
	return func(c *config) {
		c.observers = append(c.observers, observe)
		if observe == nil {
			c.errs = append(c.errs, errors.New("the observer is nil"))
		}
	}
}

// WithMaxPages is how many pages All reads at most before it fails with ErrIncomplete: by default 1,000.
func WithMaxPages(n int) Option {
	return func(c *config) {
		c.maxPages = n
		if n < 1 {
			c.errs = append(c.errs, errors.New("the number of pages must be positive"))
		}
	}
}

// newCore puts together what all requests share, or says everything that is wrong.
func newCore(auth Auth, opts []Option) (*core, error) {
	cfg := config{apiURL: defaultAPIURL, appURL: defaultAppURL, maxPages: defaultMaxPages}
	for _, opt := range opts {
		if opt != nil {
			opt(&cfg)
		}
	}
	api, apiErr := cfg.baseURL("API", cfg.apiURL)
	app, appErr := cfg.baseURL("app", cfg.appURL)
	agent, agentErr := cfg.agent(auth)
	errs := append(cfg.errs, apiErr, appErr, agentErr, cfg.retry.check())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c := &core{
		auth: auth, api: api, app: app, http: cfg.client(), userAgent: agent, limiter: cfg.limiter,
		policy: cfg.retry.withDefaults(), observers: cfg.observers, maxPages: cfg.maxPages,
	}
	if c.limiter == nil {
		c.limiter = NewWindow(defaultRequests, defaultPer)
	}
	return c, nil
}

// agent checks auth and gives the User-Agent to send.
func (c *config) agent(auth Auth) (string, error) {
	if auth == nil {
		return "", errors.New("no credentials: use ownerrez.PAT or ownerrez.OAuth")
	}
	if err := auth.check(); err != nil {
		return "", err
	}
	required := auth.agent()
	switch {
	case c.userAgent == nil && required != "":
		return required, nil
	case c.userAgent == nil:
		return defaultUserAgent, nil
	case required != "":
		_, err := ParseApp(*c.userAgent)
		return *c.userAgent, err
	}
	agent := *c.userAgent
	if strings.TrimSpace(agent) == "" || len(agent) > 256 || strings.ContainsFunc(agent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", errors.New("the User-Agent must be 1 to 256 plain characters, such as My Program/1.0")
	}
	return agent, nil
}

// baseURL checks the address of a host, and gives it without a slash at its end.
func (c *config) baseURL(what, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, fmt.Errorf("the %s URL must be like https://host or https://host/path", what)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the %s URL must hold no user, query or fragment", what)
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !c.allowsHTTP(u):
		return nil, fmt.Errorf("the %s URL must be https: credentials would go over the network in plain text", what)
	}
	// Requests bring their /v2 along.
	base := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v2")
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: base}, nil
}

func (c *config) allowsHTTP(u *url.URL) bool {
	return slices.ContainsFunc(c.httpHosts, func(host string) bool {
		return host != "" && (strings.EqualFold(host, u.Hostname()) || strings.EqualFold(host, u.Host))
	})
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && addr.Unmap().IsLoopback())
}

// client gives the HTTP client to send with, a copy of the caller's or one of our own.
func (c *config) client() *http.Client {
	client := c.http
	if client == nil {
		client = new(http.Client)
	}
	if client.Transport == nil {
		client.Transport = newTransport()
	}
	if client.Timeout == 0 {
		client.Timeout = defaultTimeout
	}
	// A redirect would be a second request on one permit, and could lead to another host.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// newTransport speaks HTTP/1.1 only, where we can see to it that a request is sent once, and gives
// connections up before servers usually do.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: PermitLifetime}).DialContext,
		TLSHandshakeTimeout:   PermitLifetime,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: defaultTimeout,
		Protocols:             protocols,
	}
}
