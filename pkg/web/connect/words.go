package connect

import "github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"

// words are what a page says of an ending.
type words struct {
	status  int
	tone    string
	heading string
	lines   []string
	invited string // the last line, for hosts who need an invitation; to others a link says it
	retry   string // the text of the link by which this browser begins again; empty: there is none
}

// pageWords are those of the endings. What is true of one account is added by connectedPage, leavePage and leavingPage.
var pageWords = map[connect.Kind]words{
	connect.Connected: {status: 200, tone: "good", heading: "Connected"},
	connect.Reconnected: {status: 200, tone: "good", heading: "Connected again", lines: []string{
		"Everything is as it was: settings and history stay."}},
	connect.Underway: {status: 200, tone: "plain", heading: "One moment", lines: []string{
		"Your account is being connected."}},
	connect.Denied: {status: 200, tone: "plain", heading: "Not connected", lines: []string{
		"You did not allow the access at OwnerRez, so nothing was connected and nothing is kept.",
		"If that was not what you wanted, try again."}, retry: "Try again"},
	connect.Expired: {status: 410, tone: "plain", heading: "That took too long", lines: []string{
		"What OwnerRez answers is good for ten minutes, and works once.",
		"Begin again: that is safe, and takes a minute."}, retry: "Begin again"},
	connect.OtherBrowser: {status: 403, tone: "plain", heading: "This is another browser", lines: []string{
		"You began to connect in another browser, or this one does not keep cookies. Nothing was connected here.",
		"Open this link in the browser in which you began."}, invited: "Or open your invitation again here."},
	connect.WrongState: {status: 400, tone: "plain", heading: "This link leads nowhere", lines: []string{
		"Nothing that was begun here belongs to it, or it was too long ago. Nothing was changed by opening it."},
		invited: "Open your invitation again."},
	connect.Trouble: {status: 503, tone: "bad", heading: "OwnerRez has trouble", lines: []string{
		"OwnerRez is slow or out of order, so your account could not be connected. Nothing was changed.",
		"It is safe to try again; better in a few minutes."}, retry: "Try again"},
	connect.Busy: {status: 503, tone: "bad", heading: "Too much is going on", lines: []string{
		"OwnerRez may be asked only so often, and that is used up for the moment.",
		"Leave this page open: it loads itself again, and goes on where it was."}},
	connect.NotStored: {status: 503, tone: "bad", heading: "Your account was not connected", lines: []string{
		"OwnerRez let us in, but we could not keep the access safely, so we gave it up. Nothing was kept.",
		"It is safe to try again."}, retry: "Try again"},
	connect.OtherAccount: {status: 403, tone: "bad", heading: "This is another account than invited", lines: []string{
		"The invitation is for another OwnerRez account than the one that you allowed. Nothing was connected, and nothing was changed.",
		"Log out at OwnerRez, log in with the invited account, and try again."}, retry: "Try again"},
	connect.NotInvited: {status: 403, tone: "plain", heading: "You need an invitation", lines: []string{
		"This link is no invitation that we know. Check that it is complete."},
		invited: "Or ask whoever sent it to you for a new one."},
	connect.InviteUsed: {status: 410, tone: "plain", heading: "This invitation was used", lines: []string{
		"An invitation works once. If you connected your account with it, there is nothing left to do."},
		invited: "Otherwise ask whoever sent it to you for a new one."},
	connect.InviteExpired: {status: 410, tone: "plain", heading: "This invitation is too old",
		invited: "Ask whoever sent it to you for a new one."},
	connect.NotConfigured: {status: 503, tone: "bad", heading: "Nobody can be connected at the moment", lines: []string{
		"The access to OwnerRez is not set up as it should be. That is not your fault, and nothing was connected.",
		"Tell whoever sent you the link; it will work again later."}, retry: "Try again"},
	connect.Leaving: {status: 200, tone: "good", heading: "Disconnected",
		invited: "To connect it again, ask for an invitation."},
	connect.NotKnownBrowser: {status: 403, tone: "plain", heading: "This browser cannot do that", lines: []string{
		"An account can be disconnected in the browser in which it was connected, or by an invitation for it.",
		"You can also end the access in OwnerRez itself, or ask whoever invited you."}},
}

// pastResult are the words for who looks for how a flow ended when that is not kept any more.
var pastResult = words{status: 410, tone: "plain", heading: "This page is no longer there", lines: []string{
	"How it ended is shown for an hour. An account that was connected stays connected."},
	invited: "If yours was not, open your invitation again."}

// foreignForm are the words for a form that another site had the browser send.
var foreignForm = words{status: 403, tone: "plain", heading: "Nothing was done", lines: []string{
	"That came from another site. To disconnect your account, open the page for it here, and use its button."}}

// ownTrouble are the words for what is nobody's fault but ours.
var ownTrouble = words{status: 500, tone: "bad", heading: "Something went wrong on our side", lines: []string{
	"It has nothing to do with you or with OwnerRez.",
	"It is safe to load this page again, in a minute. If it stays, tell whoever sent you the link."}}
