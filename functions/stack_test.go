package functions_test

import (
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
)

// TestStack deploys the real template by SAM, with OwnerRez's addresses at a fake, and uses it as its operator and
// its readers do. It needs an AWS to deploy to, named by OWNERREZ_TEST_AWS_ENDPOINT, which enforces the policies of
// roles, and the command sam. What it proves rests on one another: the steps of a stack come in order, and the first
// that fails ends it.
func TestStack(t *testing.T) {
	sam := newStackSAM(t)
	conf := awstest.Config(t)
	sam.build(t)
	t.Run("by the clock", func(t *testing.T) {
		t.Parallel()
		sam.deploy(t, conf, "LookupEvery=1").run(t, []stackStep{
			{"an answer that never comes", (*stack).hang},
			{"the schedule finds an account", (*stack).scheduled},
			{"no token anywhere", (*stack).noToken},
		})
	})
	t.Run("connected", func(t *testing.T) {
		t.Parallel()
		sam.deploy(t, conf, "EnableConnect=true", "RequestsPerFiveMinutes=300", "AppName=stack-test").run(t, stackConnected())
	})
	t.Run("by hand", func(t *testing.T) {
		t.Parallel()
		sam.deploy(t, conf, "LookupEvery=15", "RequestsPerFiveMinutes=300", "AppName=stack-test").run(t, []stackStep{
			{"empty", (*stack).empty},
			{"nobody can connect", (*stack).noPublicEndpoints},
			{"nobody can be invited", (*stack).uninvited},
			{"who may read", (*stack).whoMayRead},
			{"the first lookup", (*stack).firstLookup},
			{"a booking is added", (*stack).bookingAdded},
			{"OwnerRez answers 500", (*stack).serverErrors},
			{"OwnerRez refuses the token once", (*stack).refusedOnce},
			{"two accounts", (*stack).twoAccounts},
			{"snapshot and changes", (*stack).snapshotAndChanges},
			{"poison and too many requests", (*stack).poison},
			{"another token of the account", (*stack).newToken},
			{"a wrong token", (*stack).wrongToken},
			{"a malformed secret", (*stack).malformedSecret},
			{"a token of another account", (*stack).otherAccount},
			{"a third account", (*stack).thirdAccount},
			{"the tokens come back", (*stack).comesBack},
			{"no tokens any more", (*stack).emptied},
			{"the tokens come back again", (*stack).comesBack},
			{"each permission is needed", (*stack).eachPermission},
			{"the operator purges", (*stack).purged},
			{"no token anywhere", (*stack).noToken},
		})
	})
}

// stackConnected are the steps of a stack whose operator connects accounts of others.
func stackConnected() []stackStep {
	return []stackStep{
		{"public endpoints", (*stack).publicEndpoints},
		{"the app is registered", (*stack).openOffice},
		{"connect by invitation", (*stack).connected},
		{"the callback is loaded again", (*stack).twice},
		{"webhooks", (*stack).webhooks},
		{"the host says no, and then yes", (*stack).denied},
		{"another account than invited", (*stack).otherHost},
		{"the token is refreshed", (*stack).refreshed},
		{"OwnerRez refuses once", (*stack).lateOnce},
		{"OwnerRez refuses, and the host connects again", (*stack).revoked},
		{"the host leaves", (*stack).leaves},
		{"and connects again", (*stack).comesHome},
		{"a host leaves by an invitation", (*stack).leavesByInvitation},
		{"the operator disconnects", (*stack).disconnected},
		{"other browsers, forged states and stolen codes", (*stack).otherBrowsers},
		{"addresses that lead elsewhere", (*stack).misled},
		{"other sites", (*stack).crossSite},
		{"too fast and too slow", (*stack).impatient},
		{"a real browser", (*stack).chromium},
		{"open to all", (*stack).openToAll},
		{"secrets of another stack", (*stack).foreignSecrets},
		{"an account that was never here leaves", (*stack).neverHere},
		{"each permission is needed", (*stack).eachConnectPermission},
		{"the public endpoints are taken away", (*stack).unplugged},
		{"the operator purges", (*stack).purged},
		{"no token anywhere", (*stack).noToken},
	}
}

// stackStep is one thing that is proven, of a stack on which others were proven before.
type stackStep struct {
	name string
	do   func(*stack, *testing.T)
}

func (s *stack) run(t *testing.T, steps []stackStep) {
	t.Helper()
	for _, step := range steps {
		began := time.Now()
		ok := t.Run(step.name, func(t *testing.T) { step.do(s, t) })
		t.Logf("%s: %s", step.name, time.Since(began).Round(100*time.Millisecond))
		if !ok {
			t.Fatal("what comes after rests on it")
		}
	}
}
