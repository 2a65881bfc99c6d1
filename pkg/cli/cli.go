package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitDone  = 0 // all that was asked for was done
	exitTold  = 1 // something could not be read or was refused; what is known was printed
	exitUsage = 2 // called in a wrong way, or the environment is wrong
)

const description = `Availability of your OwnerRez properties: free, taken and why, or unknown.

The environment says whose: OWNERREZ_EMAIL and OWNERREZ_TOKEN hold a personal access token (pt_…) with its account's
e-mail address; or OWNERREZ_TOKEN an OAuth token (at_…) and OWNERREZ_USER_AGENT the app, as in
"My Awesome App/1.0 (c_51234234)". Without them, --demo shows an invented account.

Also, with their defaults:

  OWNERREZ_LOOKUP_EVERY            time between lookups of serve (15m)
  OWNERREZ_REQUESTS_PER_5_MINUTES  what may be sent to OwnerRez, 30 to 300 (240)
  OWNERREZ_TIME_ZONE               for properties and accounts that name none
  OWNERREZ_CLIENT_ID, OWNERREZ_CLIENT_SECRET, OWNERREZ_PUBLIC_URL
                                   the OAuth app and our https address, for connecting other people's accounts
  OWNERREZ_CONNECT_MODE            who may connect an account: invite, or open for everybody (invite)
  OWNERREZ_WEBHOOK_USER, OWNERREZ_WEBHOOK_PASSWORD
                                   the user and password of the app's webhook, if it has one
  OWNERREZ_API_URL                 https://api.ownerrez.com
  OWNERREZ_APP_URL                 https://app.ownerrez.com

Exit code 0: everything was read. 1: something was not; what is known is printed. 2: wrong usage.`

// grammar is the command line, as kong reads it.
type grammar struct {
	Serve      serveCommand      `cmd:"" default:"withargs" help:"Look up on schedule and show the calendar as a page (the default)."`
	Lookup     lookupCommand     `cmd:"" help:"Look nights up once and print them."`
	Properties propertiesCommand `cmd:"" help:"List the account's properties."`
	Accounts   accountsCommand   `cmd:"" help:"How accounts are doing; invite hosts, disconnect accounts."`
	Ownerrez   ownerrezCommand   `cmd:"" help:"Serve a demo OwnerRez alone, to try other programs against."`
}

// program is what all commands work with.
type program struct {
	env    func(string) (string, bool)
	stdout *terminal // the answer, and nothing else
	stderr *terminal // all else
}

// usageError is a mistake in how the program was called or is configured.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errTold ends a command about whose trouble everything was said.
var errTold = errors.New("see the problems above")

// Main runs the program with its arguments, without its name, and returns its exit code: 0 if everything asked
// for was done, 1 if something could not be read or was refused, 2 for wrong usage. Configuration is read from
// env, which works like os.LookupEnv. The answer goes to stdout, and all else, in plain sentences, to stderr.
// When ctx ends, serve and ownerrez end well, and the others print what is known and return 1.
func Main(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	p := &program{env: env, stdout: newTerminal(stdout, env), stderr: newTerminal(stderr, env)}
	err := p.run(ctx, args)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errTold):
		return exitTold
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		p.say("ownerrez: %s", line)
	}
	if errors.As(err, &usageError{}) {
		return exitUsage
	}
	return exitTold
}

func (p *program) run(ctx context.Context, args []string) error {
	helped := false
	parser, err := kong.New(&grammar{},
		kong.Name("ownerrez"), kong.Description(description), kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(int) { helped = true }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p),
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return nil
	case err != nil:
		return usageError{fmt.Errorf("%w (--help says more)", err)}
	}
	return command.Run()
}

// say writes a line to stderr.
func (p *program) say(format string, args ...any) {
	p.stderr.line(fmt.Sprintf(format, args...))
}
