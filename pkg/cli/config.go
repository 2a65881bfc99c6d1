package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// config is what the environment says.
type config struct {
	settings lookup.Settings
	perFive  int
	email    string
	token    string
	auth     ownerrez.Auth     // nil if there are no credentials
	options  []ownerrez.Option // where OwnerRez is, and as whom we call
	apiHost  string            // with its port, if it names one
}

// errNoCredentials is what a command says that needs them.
var errNoCredentials = errors.New("there are no credentials: set OWNERREZ_EMAIL and OWNERREZ_TOKEN (or for OAuth OWNERREZ_TOKEN and OWNERREZ_USER_AGENT), or use --demo")

// reader reads variables of the environment and gathers what is wrong with them.
type reader struct {
	env  func(string) (string, bool)
	errs []error
}

func (r *reader) get(name string) string {
	value, _ := r.env(name)
	return strings.TrimSpace(value)
}

// wrong notes what is wrong with a variable; err may be several errors in one.
func (r *reader) wrong(name string, err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		r.errs = append(r.errs, fmt.Errorf("%s: %s", name, line))
	}
}

// config reads the environment, or says everything that is wrong with it. With demo, what it says about the
// account and OwnerRez's hosts is not looked at.
func (p *program) config(demo bool) (config, error) {
	r := &reader{env: p.env}
	c := config{settings: r.settings(), perFive: r.perFive()}
	if !demo {
		r.hosts(&c)
		r.credentials(&c)
	}
	if len(r.errs) > 0 {
		return config{}, usageError{errors.Join(r.errs...)}
	}
	return c, nil
}

func (r *reader) settings() lookup.Settings {
	set := lookup.Settings{Zone: r.get("OWNERREZ_TIME_ZONE")}
	r.wrong("OWNERREZ_TIME_ZONE", set.Check())
	if text := r.get("OWNERREZ_LOOKUP_EVERY"); text != "" {
		every, err := time.ParseDuration(text)
		if err != nil || every <= 0 {
			r.wrong("OWNERREZ_LOOKUP_EVERY", fmt.Errorf("%q is no time between lookups; write it as 15m or 1h", text))
		}
		set.Every = every
	}
	return set
}

func (r *reader) perFive() int {
	text := cmp.Or(r.get("OWNERREZ_REQUESTS_PER_5_MINUTES"), strconv.Itoa(budget.DefaultPerFive))
	n, err := strconv.Atoi(text)
	if err != nil || n < budget.MinPerFive || n > budget.MaxPerFive {
		r.wrong("OWNERREZ_REQUESTS_PER_5_MINUTES", fmt.Errorf("%q must be a number from %d to %d", text, budget.MinPerFive, budget.MaxPerFive))
	}
	return n
}

// hosts reads where OwnerRez is.
func (r *reader) hosts(c *config) {
	allowed := ownerrez.WithAllowHTTPHost(r.get("OWNERREZ_ALLOW_HTTP_HOST"))
	c.options = append(c.options, allowed)
	c.apiHost = "api.ownerrez.com"
	for _, host := range []struct {
		name string
		with func(string) ownerrez.Option
	}{{"OWNERREZ_API_URL", ownerrez.WithAPIURL}, {"OWNERREZ_APP_URL", ownerrez.WithAppURL}} {
		text := r.get(host.name)
		if text == "" {
			continue
		}
		// Checked each by itself, with credentials that are right, so that the variable can be named.
		_, err := ownerrez.New(ownerrez.PAT("somebody@example.com", "pt_x"), host.with(text), allowed)
		r.wrong(host.name, err)
		c.options = append(c.options, host.with(text))
	}
	if u, err := url.Parse(r.get("OWNERREZ_API_URL")); err == nil && u.Host != "" {
		c.apiHost = strings.ToLower(u.Host)
	}
}

// credentials reads who is looked up.
func (r *reader) credentials(c *config) {
	c.email, c.token = r.get("OWNERREZ_EMAIL"), r.get("OWNERREZ_TOKEN")
	agent := r.get("OWNERREZ_USER_AGENT")
	if c.email == "" && c.token == "" {
		return
	}
	if strings.HasPrefix(c.token, "at_") {
		app, err := ownerrez.ParseApp(agent)
		if err != nil {
			r.wrong("OWNERREZ_USER_AGENT", err)
			return
		}
		c.email, c.auth = "", ownerrez.OAuth(app, ownerrez.StaticToken(c.token))
	} else {
		c.auth = ownerrez.PAT(c.email, c.token)
		if agent != "" {
			c.options = append(c.options, ownerrez.WithUserAgent(agent))
		}
	}
	if _, err := ownerrez.New(c.auth); err != nil {
		r.wrong("OWNERREZ_EMAIL and OWNERREZ_TOKEN", err)
		return
	}
	if agent != "" {
		_, err := ownerrez.New(c.auth, ownerrez.WithUserAgent(agent))
		r.wrong("OWNERREZ_USER_AGENT", err)
	}
}

// dataFile is the path of a file of the program's own in the user's configuration folder.
func (p *program) dataFile(name string) (string, error) {
	folder, err := configFolder(p.env, runtime.GOOS)
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "ownerrez-lambda", name), nil
}

// configFolder is os.UserConfigDir for a given environment.
func configFolder(env func(string) (string, bool), system string) (string, error) {
	get := func(name string, below ...string) string {
		folder, _ := env(name)
		if folder == "" || !filepath.IsAbs(folder) {
			return ""
		}
		return filepath.Join(append([]string{folder}, below...)...)
	}
	var folder string
	switch system {
	case "windows":
		folder = get("AppData")
	case "darwin", "ios":
		folder = get("HOME", "Library", "Application Support")
	default:
		folder = cmp.Or(get("XDG_CONFIG_HOME"), get("HOME", ".config"))
	}
	if folder == "" {
		return "", usageError{errors.New("there is no folder to keep data in: set HOME (on Windows AppData)")}
	}
	return folder, nil
}
