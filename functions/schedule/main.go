// Command schedule is a Lambda function: every minute it wakes the accounts that are due. Invoked by hand, it also
// reads the secrets at once, and tells how every account is doing.
package main

import (
	"context"
	"errors"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
)

// request is what the schedule sends. Whoever invokes the function by hand sends nothing, or another object.
type request struct {
	Tick bool `json:"tick"`
}

func main() {
	stack := boot.New(os.LookupEnv)
	job := stack.Job(stack.Store())
	send := lane.Sender(stack.Queue())
	boot.Start(stack, func(ctx context.Context, r request) ([]lookup.Standing, error) {
		if r.Tick {
			_, misconfigured := job.Credentials(ctx)
			return nil, errors.Join(job.Tick(ctx, send), misconfigured)
		}
		job.Reread()
		if err := job.Tick(ctx, send); err != nil {
			return nil, err
		}
		return lookup.Standings(ctx, job.Store, job.Credentials, job.Settings, time.Now())
	})
}
