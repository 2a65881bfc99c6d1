// Command calendar is a Lambda function: it answers GET /v1/accounts, /v1/calendar and /v1/changes from what is
// stored.
package main

import (
	"log/slog"
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

func main() {
	stack := boot.New(os.LookupEnv)
	api := calendar.API(stack.Store(), calendar.Options{
		Settings: stack.Settings(),
		OnError:  func(err error) { slog.Error("the answer could not be made", "problem", err.Error()) },
	})
	boot.Start(stack, httpadapter.NewV2(api).ProxyWithContext)
}
