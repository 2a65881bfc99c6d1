// Command accounts is a Lambda function for the operator: {"command":"list"} tells how every account is doing,
// {"command":"status","account":123456} all that is known of one.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
)

func main() {
	stack := boot.New(os.LookupEnv)
	store := stack.Store()
	personal := stack.Personal(store)
	credentials := func(ctx context.Context) ([]account.Credential, error) {
		personal.Forget() // whoever asks wants to know what stands there now
		return personal.Credentials(ctx)
	}
	desk := operator.Desk{Store: store, Credentials: credentials, Settings: stack.Settings()}
	boot.Start(stack, desk.Handle)
}
