package cli

import (
	"cmp"
	"errors"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/env"
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
	options  []ownerrez.Option // where OwnerRez is
	agent    []ownerrez.Option // as whom a personal token calls
	apiHost  string            // with its port, if it names one
	connecting
}

// errNoCredentials is what a command says that needs them.
var errNoCredentials = errors.New("there are no credentials: set OWNERREZ_EMAIL and OWNERREZ_TOKEN (or for OAuth OWNERREZ_TOKEN and OWNERREZ_USER_AGENT), or use --demo")

// config reads the environment, or says everything that is wrong with it. With demo, what it says about the
// account and OwnerRez's hosts is not looked at.
func (p *program) config(demo bool) (config, error) {
	r := env.New(p.env)
	c := config{settings: r.Settings(), perFive: r.PerFive()}
	if !demo {
		c.readOwnerRez(r)
	}
	return c, usage(r.Err())
}

// configAll reads the environment as config does, and what it says about connecting other people's accounts.
func (p *program) configAll() (config, error) {
	r := env.New(p.env)
	c := config{settings: r.Settings(), perFive: r.PerFive()}
	c.readOwnerRez(r)
	c.readConnecting(r, c.token != "" && !isOAuth(c.token))
	return c, usage(r.Err())
}

// usage makes a mistake of an error, if there is one.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// readOwnerRez reads where OwnerRez is, and who is looked up there.
func (c *config) readOwnerRez(r *env.Reader) {
	where := r.OwnerRez()
	c.options, c.apiHost = where.Options, where.Host
	c.readCredentials(r)
}

func isOAuth(token string) bool { return strings.HasPrefix(token, "at_") }

// readCredentials reads who is looked up.
func (c *config) readCredentials(r *env.Reader) {
	c.email, c.token = r.Get("OWNERREZ_EMAIL"), r.Get("OWNERREZ_TOKEN")
	agent := r.Get("OWNERREZ_USER_AGENT")
	if c.email == "" && c.token == "" {
		return
	}
	if isOAuth(c.token) {
		app, err := ownerrez.ParseApp(agent)
		if err != nil {
			r.Wrong("OWNERREZ_USER_AGENT", err)
			return
		}
		c.email, c.auth = "", ownerrez.OAuth(app, ownerrez.StaticToken(c.token))
	} else {
		c.auth = ownerrez.PAT(c.email, c.token)
		if agent != "" {
			c.agent = append(c.agent, ownerrez.WithUserAgent(agent))
		}
	}
	if _, err := ownerrez.New(c.auth); err != nil {
		r.Wrong("OWNERREZ_EMAIL and OWNERREZ_TOKEN", err)
		return
	}
	if agent != "" {
		_, err := ownerrez.New(c.auth, ownerrez.WithUserAgent(agent))
		r.Wrong("OWNERREZ_USER_AGENT", err)
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
