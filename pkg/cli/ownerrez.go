package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

type ownerrezCommand struct {
	Addr string `default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"Where to serve. Default: ${default}."`
}

// Run serves the demo OwnerRez, both of its hosts at one address, until ctx ends.
func (c *ownerrezCommand) Run(ctx context.Context, p *program) error {
	listener, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	at := address(listener)
	today := ownerrez.Today(time.Now(), time.UTC)
	p.say("A demo OwnerRez is at %s. Everything in it is invented. Ctrl-C ends it.", at)
	p.say("%s", fmt.Sprintf(`
Try it with a personal access token:

  curl -u %[2]s:%[3]s %[1]s/v2/properties
  curl -u %[2]s:%[3]s '%[1]s/v2/bookings?since_utc=1970-01-01T00:00:00Z&limit=5'

or with an OAuth app's token:

  curl -H 'Authorization: bearer %[4]s' -A 'My Awesome App/1.0 (c_51234234)' %[1]s/api/properties/lookup

or with this program:

  OWNERREZ_API_URL=%[1]s OWNERREZ_APP_URL=%[1]s OWNERREZ_EMAIL=%[2]s OWNERREZ_TOKEN=%[3]s \
    ownerrez lookup --from %[5]s --to %[6]s

or connect it as a host does, by the link that this prints:

  OWNERREZ_API_URL=%[1]s OWNERREZ_APP_URL=%[1]s OWNERREZ_CLIENT_ID=%[7]s OWNERREZ_CLIENT_SECRET=%[8]s \
    OWNERREZ_PUBLIC_URL=http://127.0.0.1:8080 ownerrez serve --data connected.db
`, at, ownerreztest.DemoEmail, ownerreztest.DemoPAT, ownerreztest.DemoAccessToken, today, today.AddDays(14),
		ownerreztest.DemoClientID, ownerreztest.DemoClientSecret))
	return serveHTTP(ctx, listener, ownerreztest.Demo(demoSeed, time.Now))
}
