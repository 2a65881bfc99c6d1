package lookup

import (
	"context"
	"errors"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// errShare ends a run that has used its share of the budget; what is left is read by the next one.
var errShare = errors.New("this lookup has used its share of the request budget")

var (
	// errWaiting leaves stays that a read lacked for the next run.
	errWaiting = errors.New("stays that a read lacked are still to be asked for")
	// errUnproven is a stay that is neither listed nor proven gone.
	errUnproven = errors.New("a stay is not listed, and not proven gone")
	// errUnread is a property that was left for the next run.
	errUnread = errors.New("not read in this run")
	// errNoCredential is an account that nothing configured leads into.
	errNoCredential = errors.New("no credential of this account is configured")
	// errTokenGone is an account that was connected, and whose token is not there any more.
	errTokenGone = errors.New("the account's token is not in the vault any more")
	// errOtherAccount is a credential of another account than it was taken for.
	errOtherAccount = errors.New("the credential belongs to another account")
)

// explanation is what a person is told of a kind of trouble.
type explanation struct {
	is            error
	message, next string
}

// explanations are tried in order: the first that errors.Is finds is told.
var explanations = []explanation{
	{context.Canceled, "The lookup was interrupted.", "Start it again; what was already read is kept where a data file is used."},
	{errTooLarge, "The property has more stays than can be stored.", "Please report this; the other properties are read as ever."},
	{errShare, "The account needs more requests, or more time, than one lookup may use.", "Nothing to do: the rest is read in a few minutes."},
	{errUnread, "Not every property could be read in this lookup.", "Nothing to do: the rest is read in a few minutes."},
	{errWaiting, "OwnerRez no longer lists some stays; they are kept until it was asked for each of them.", "Nothing to do: the next lookups ask, twenty at a time."},
	{errUnproven, "OwnerRez no longer lists a stay, and does not prove that it is gone: it is kept.", "Nothing to do: it is asked again. If you deleted it, its nights become free once OwnerRez proves it."},
	{errMoved, "Bookings changed while they were read page by page.", "Nothing to do: they are read again in a few minutes."},
	{errUnusable, "OwnerRez sent a booking that cannot be read.", "Open the booking in OwnerRez and check its dates; if they are right, please report this."},
	{errNoCredential, "No configured token leads into this account.", "Configure its e-mail and token again; until then nothing is read, and its calendar grows old."},
	{errTokenGone, "The account's token is not kept any more.", "Let the host connect the account again: send an invitation to it. Its calendar grows old until then."},
	{account.ErrNoApp, "The OAuth app is not configured any more.", "Configure its client id and secret again; until then the accounts that it connected grow old."},
	{errOtherAccount, "The token belongs to another OwnerRez account.", "Configure a token of this account; nothing was read with the other one."},
	{budget.ErrNoSlot, "OwnerRez lets one address use personal tokens of two accounts in 24 hours, and two others were used.", "Wait until 24 hours after the last use of one of them, or connect the account by OAuth."},
	{budget.ErrNoPermit, "The request budget for these five minutes is used up.", "Nothing to do: it goes on by itself in a few minutes."},
	{ownerrez.ErrRateLimited, "OwnerRez refuses requests from this address for now: too many in five minutes.", "Nothing to do: it is tried again later. If it stays, find what else uses the API from this address."},
	{ownerrez.ErrUnauthorized, "OwnerRez does not accept the token.", "Check the e-mail and the token; if it was revoked or has expired, make a new one under Developer/API Settings."},
	{ownerrez.ErrPaymentRequired, "The OwnerRez account lacks a feature that this needs.", "Ask OwnerRez's help which plan includes it."},
	{ownerrez.ErrForbidden, "OwnerRez refuses access from here.", "Check the token's list of allowed addresses, and that the account is open; a missing User-Agent is refused in this way too."},
	{ownerrez.ErrServer, "OwnerRez has trouble answering.", "Nothing to do: it is tried again. If it stays, look at OwnerRez's status page."},
	{context.DeadlineExceeded, "OwnerRez did not answer in time.", "Nothing to do: it is tried again. If it stays, check the network."},
	{ownerrez.ErrUnreachable, "OwnerRez could not be reached.", "Check the network; it is tried again."},
	{ownerrez.ErrIncomplete, "OwnerRez's list could not be read whole.", "Nothing to do: it is read again."},
	{ownerrez.ErrUnreadable, "OwnerRez's answer is not what its API documents.", "Nothing to do: it is tried again. If it stays, something between here and OwnerRez may answer in its place."},
	{ownerrez.ErrNotFound, "OwnerRez does not know what was asked for.", "Check it in OwnerRez; it may have been deleted."},
	{ownerrez.ErrInvalid, "OwnerRez refuses the question as it was asked.", "Please report this: it is a fault in this program, or the API has changed."},
	{ownerrez.ErrMethodNotAllowed, "OwnerRez refuses the question as it was asked.", "Please report this: it is a fault in this program, or the API has changed."},
}

// Explain says in plain words what an error of a lookup means and what to do next. It never contains anything
// of a token, a header or a URL.
func Explain(err error) (message, next string) {
	var api *ownerrez.Error
	if errors.As(err, &api) && api.Code == "ip_blocked" {
		return "OwnerRez does not let this address use the token.", "Add this address to the token's allowed addresses in OwnerRez, or use another token."
	}
	if wrong := (*account.MalformedError)(nil); errors.As(err, &wrong) {
		return "The secret of the " + wrong.Secret + " " + wrong.Why + ".", "Fill it with " + wrong.Example + "; {} empties it."
	}
	if unreadable := (*account.UnreadableTokenError)(nil); errors.As(err, &unreadable) {
		return "The secret of the account's token " + unreadable.Why + ".", "Nothing is looked up until then."
	}
	if refused := (*account.RefreshError)(nil); errors.As(err, &refused) && (errors.Is(err, ownerrez.ErrUnauthorized) || errors.Is(err, account.ErrVault)) {
		if errors.Is(err, account.ErrVault) {
			return "The account's token could not be refreshed: " + refused.Err.Error() + ".", "Mend that; it is tried again."
		}
		if refused.Reconnect {
			return "OwnerRez does not accept the account's token any more.", "Let the host connect the account again: send an invitation to it."
		}
		return "OwnerRez does not accept the account's token, and it could not be refreshed.", "Nothing to do: it is tried again. If it stays, let the host connect the account again."
	}
	for _, e := range explanations {
		if errors.Is(err, e.is) {
			return e.message, e.next
		}
	}
	return "The lookup failed: " + err.Error(), "Try again; if it stays, please report it."
}

// problem is an error as a Problem of a property, or of the whole account if property is 0.
func problem(property int64, err error) Problem {
	message, next := Explain(err)
	return Problem{Property: property, Message: message, Next: next}
}

// endsRun reports whether after this error no further request of the run makes sense: the credential or the
// address is refused, the budget is used up, or the run itself is over.
func endsRun(err error) bool {
	for _, end := range []error{
		context.Canceled, errShare, budget.ErrNoPermit, budget.ErrNoSlot,
		ownerrez.ErrRateLimited, ownerrez.ErrUnauthorized, ownerrez.ErrForbidden, ownerrez.ErrPaymentRequired,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// refusedAccess reports whether OwnerRez refuses access.
func refusedAccess(err error) bool {
	return errors.Is(err, ownerrez.ErrForbidden) || errors.Is(err, ownerrez.ErrPaymentRequired)
}

// refusedAccount reports whether that is surely about more than what was asked for.
func refusedAccount(err error) bool {
	var api *ownerrez.Error
	if !errors.As(err, &api) {
		return false
	}
	switch api.Code {
	case "ip_blocked", "account_locked", "account_closed", "user_agent_required":
		return true
	}
	return false
}

// brokenAnswer reports whether no good answer came, for whatever reason but the question itself.
func brokenAnswer(err error) bool {
	return errors.Is(err, ownerrez.ErrServer) || errors.Is(err, ownerrez.ErrUnreadable) ||
		errors.Is(err, ownerrez.ErrUnreachable) || refusedAccess(err)
}

// refusedQuestion reports whether OwnerRez took offence at the question itself, so that asking for less may help.
func refusedQuestion(err error) bool {
	var api *ownerrez.Error
	if !errors.As(err, &api) {
		return false
	}
	switch api.StatusCode {
	case 400, 404, 405, 414, 422:
		return true
	}
	return false
}
