// Command local is everything in one process, on a laptop: lookups on schedule and the page, single lookups on
// the terminal, and a demo OwnerRez. Installed it is called ownerrez.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // where the system has no time zones

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(cli.Main(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}
