// Command authorize is a Lambda function: it sends hosts who were invited to OwnerRez's consent page, shows how that
// ended, and lets them leave.
package main

import (
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
)

func main() {
	stack := boot.New(os.LookupEnv)
	pages := stack.Pages(stack.Office(stack.Store()))
	boot.Start(stack, httpadapter.NewV2(pages).ProxyWithContext)
}
