// Command accounts is a Lambda function for the operator: {"command":"list"} tells how every account is doing,
// {"command":"status","account":123456} all that is known of one, {"command":"doctor"} what is not as it should be;
// {"command":"invite"} makes an invitation for a host, {"command":"disconnect","account":123456} disconnects an account, and
// {"command":"purge"} all of them.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
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
	desk := operator.Desk{
		Store: store, Credentials: credentials, Settings: stack.Settings(),
		Invite: stack.Inviter(store), Wake: lane.Sender(stack.Queue()),
	}
	boot.Start(stack, desk.Handle)
}
