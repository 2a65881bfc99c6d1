package boot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
	webconnect "github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/connect"
)

// stackTag is the tag of secrets that a stack has made; its value is the stack's name. The policies of the functions'
// roles ask for it.
const stackTag = "ownerrez-lambda"

// app is the OAuth app in the secret that OAUTH_APP_SECRET_ARN names.
func (s *Stack) app() *account.AppSecret {
	return &account.AppSecret{
		Vault:   secretsmanager.New(s.aws),
		Name:    s.env.Need("OAUTH_APP_SECRET_ARN", "the ARN of the secret that holds the OAuth app"),
		AppName: s.appName(), AppVersion: "1.0",
	}
}

// Connections are the accounts that hosts have connected: their tokens are in secrets whose names begin with
// ACCOUNT_SECRET_PREFIX.
func (s *Stack) Connections(st *store.Store) *account.Connections {
	return &account.Connections{
		Vault: secretsmanager.New(s.aws,
			secretsmanager.WithTags(map[string]string{stackTag: s.env.Need("SECRET_TAG", "the value of the tag of the accounts' secrets")}),
			secretsmanager.WithRecoveryDays(s.recoveryDays())),
		Prefix:  s.env.Need("ACCOUNT_SECRET_PREFIX", "what the names of the accounts' secrets begin with"),
		App:     s.app().App,
		Key:     st.Key,
		Options: s.env.OwnerRez().Options,
	}
}

// recoveryDays reads for how many days the deleted secret of an account can be restored.
func (s *Stack) recoveryDays() int {
	const name = "SECRET_RECOVERY_DAYS"
	days, err := strconv.Atoi(cmp.Or(s.env.Get(name), "7"))
	if err != nil || days < 7 || days > 30 {
		s.env.Wrong(name, errors.New("must be a number from 7 to 30"))
	}
	return days
}

// Office is where hosts connect their accounts and leave: at PUBLIC_URL, by invitation unless CONNECT_MODE is open. It
// exchanges no codes: see Callback.
func (s *Stack) Office(st *store.Store) *connect.Office {
	mode := cmp.Or(s.env.Get("CONNECT_MODE"), "invite")
	if mode != "invite" && mode != "open" {
		s.env.Wrong("CONNECT_MODE", fmt.Errorf("%q must be invite or open", mode))
	}
	return &connect.Office{
		Notes: st, Ask: st.Ask, Wake: lane.Sender(s.Queue()), App: s.app().App, Account: st.Account, Requested: st.Request,
		PublicURL: s.env.Need("PUBLIC_URL", "the URL at which hosts arrive"),
		Options:   s.env.OwnerRez().Options,
		Open:      mode == "open",
	}
}

// Inviter makes invitations to the Office at PUBLIC_URL; nil if the stack has no public endpoints.
func (s *Stack) Inviter(st *store.Store) func(context.Context, connect.Invitation) (string, error) {
	public := s.env.Get("PUBLIC_URL")
	if public == "" {
		return nil
	}
	return (&connect.Office{Notes: st, PublicURL: public}).Invite
}

// Callback is the Office that exchanges the codes with which hosts come back, and keeps their tokens. Its requests
// count as those of people, and do not wait.
func (s *Stack) Callback(st *store.Store) *connect.Office {
	office := s.Office(st)
	office.Connections = s.Connections(st)
	window := budget.NewWindow(st, s.env.OwnerRez().Host, budget.PerFive(s.env.PerFive()))
	office.Options = append(office.Options, ownerrez.WithLimiter(window.Limiter(budget.People)), ownerrez.WithObserver(window.Observe))
	return office
}

// Pages are the pages of an Office.
func (s *Stack) Pages(office *connect.Office) http.Handler {
	return webconnect.Handler(office, webconnect.Options{
		AppName: s.appName(),
		OnError: func(err error) { slog.Error("the page could not be made", "problem", err.Error()) },
	})
}
