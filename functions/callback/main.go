// Command callback is a Lambda function: hosts come back to it from OwnerRez's consent page. It exchanges the code for
// a token, keeps that, and wakes the account's lane.
package main

import (
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
)

func main() {
	stack := boot.New(os.LookupEnv)
	pages := stack.Pages(stack.Callback(stack.Store()))
	boot.Start(stack, httpadapter.NewV2(pages).ProxyWithContext)
}
