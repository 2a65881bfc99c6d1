// Command lookup is a Lambda function: it does the lookups that the queue's wake-ups ask for, one account at a time,
// and publishes what has changed.
package main

import (
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
)

func main() {
	stack := boot.New(os.LookupEnv)
	store, queue := stack.Store(), stack.Queue()
	job := stack.Job(store)
	job.Publisher, job.Connections, job.Webhooks = stack.Publisher(), stack.Connections(store), stack.Webhooks()
	boot.Start(stack, queue.LambdaHandler(lane.Handler(job, lane.Sender(queue), boot.Report)))
}
