// Command webhook is a Lambda function: it takes in what OwnerRez posts, and wakes the lane of the account that it is
// about.
package main

import (
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
)

func main() {
	stack := boot.New(os.LookupEnv)
	doors := stack.WebhookDoors(stack.Queue())
	boot.Start(stack, httpadapter.NewV2(doors).ProxyWithContext)
}
