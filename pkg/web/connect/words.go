package connect

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// page is what the template shows.
type page struct {
	App     string
	Heading string
	Tone    string // good, bad or plain
	Lines   []string
	Links   []link
	Form    *form // of leaving
	Style   template.CSS
	Reload  string // when the page loads itself again, as in <meta http-equiv=refresh>; empty: never

	status int
	again  bool // it waits for something
}

type link struct {
	Text, URL string
	Main      bool // what most will want to do
}

type form struct{ Account, Invite string }

// words are what a page says of an ending.
type words struct {
	status  int
	tone    string
	heading string
	lines   []string
	retry   string // the text of the link by which this browser begins again; empty: there is none
}

// pageWords are those of all endings. What is true of one account is added by page.
var pageWords = map[connect.Kind]words{
	connect.Connected: {200, "good", "Connected", nil, ""},
	connect.Reconnected: {200, "good", "Connected again", []string{
		"Everything is as it was: settings and history stay."}, ""},
	connect.Underway: {200, "plain", "One moment", []string{
		"Your account is being connected. This page loads itself again."}, ""},
	connect.Denied: {200, "plain", "Not connected", []string{
		"You did not allow the access at OwnerRez, so nothing was connected and nothing is kept.",
		"If that was not what you wanted, try again."}, "Try again"},
	connect.Expired: {410, "plain", "That took too long", []string{
		"What OwnerRez sent you back with is good for ten minutes, and once. Nothing was connected.",
		"Begin again; it takes a minute."}, "Begin again"},
	connect.OtherBrowser: {403, "plain", "This is another browser", []string{
		"You began to connect in another browser, or this one does not keep cookies. Nothing was connected here.",
		"Open your invitation again, and go on in the same browser."}, ""},
	connect.WrongState: {400, "plain", "This link leads nowhere", []string{
		"Nothing that was begun here belongs to it, or it was too long ago. Nothing was connected.",
		"Open your invitation again."}, ""},
	connect.Trouble: {503, "bad", "OwnerRez did not answer well", []string{
		"OwnerRez is slow or has trouble, so your account could not be connected. Nothing is kept.",
		"It is safe to try again; better in a few minutes."}, "Try again"},
	connect.Busy: {503, "bad", "Too much is going on", []string{
		"OwnerRez may be asked only so often, and that is used up for the moment.",
		"Leave this page open: it loads itself again, and goes on where it was."}, ""},
	connect.NotStored: {503, "bad", "Your account was not connected", []string{
		"OwnerRez let us in, but we could not keep the access safely, so we gave it up.",
		"It is safe to try again."}, "Try again"},
	connect.OtherAccount: {403, "bad", "This is another account than invited", []string{
		"The invitation is for another OwnerRez account than the one that you allowed. Nothing was connected, and nothing was changed.",
		"Log out at OwnerRez, log in with the invited account, and try again."}, "Try again"},
	connect.NotInvited: {403, "plain", "You need an invitation", []string{
		"Accounts are connected by invitation, and this link is none that we know. Check that it is complete.",
		"Ask whoever sent it to you for a new one."}, ""},
	connect.InviteUsed: {410, "plain", "This invitation was used", []string{
		"An invitation works once. If you connected your account with it, there is nothing left to do.",
		"Otherwise ask whoever sent it to you for a new one."}, ""},
	connect.InviteExpired: {410, "plain", "This invitation is too old", []string{
		"Ask whoever sent it to you for a new one."}, ""},
	connect.NotConfigured: {503, "bad", "Nobody can be connected at the moment", []string{
		"The access to OwnerRez is not set up as it should be. That is not your fault, and nothing was connected.",
		"Tell whoever sent you the link; it will work again later."}, "Try again"},
	connect.Leaving: {200, "good", "Disconnected", []string{
		"The access to your OwnerRez account ends in this moment: nothing is looked up any more, and what let us in is revoked and deleted.",
		"To connect it again, ask for an invitation."}, ""},
	connect.NotKnownBrowser: {403, "plain", "This browser cannot do that", []string{
		"An account can be disconnected in the browser in which it was connected, or by an invitation for it.",
		"You can also end the access in OwnerRez itself, or ask whoever invited you."}, ""},
}

// page is the page of an ending. flow is the flow that ended, if this browser can begin it again.
func (p *pages) page(end connect.Ending, flow string) page {
	w, ok := pageWords[end.Kind]
	if !ok {
		p.opts.OnError(errors.New("there is no page for the ending " + string(end.Kind)))
		return p.brokenPage()
	}
	out := page{App: p.opts.AppName, Heading: w.heading, Tone: w.tone, Lines: append([]string(nil), w.lines...), status: w.status}
	switch end.Kind {
	case connect.Connected, connect.Reconnected:
		out.Lines = append([]string{fmt.Sprintf("Your OwnerRez account %s is connected to %s.", accountWords(end), p.opts.AppName)}, out.Lines...)
		if u, err := url.Parse(end.Return); err == nil && end.Return != "" {
			out.Links = append(out.Links, link{"Back to " + u.Host, end.Return, true})
		}
		out.Links = append(out.Links, link{"Disconnect this account", fmt.Sprintf("%s?account=%d", connect.LeavePath, end.Account), false})
	case connect.Underway:
		out.again = true
	case connect.Busy:
		out.Reload = "60"
	}
	if w.retry != "" && flow != "" {
		out.Links = append(out.Links, link{w.retry, connect.ConnectPath + "?flow=" + url.QueryEscape(flow), true})
	}
	return out
}

// accountWords names an account.
func accountWords(end connect.Ending) string {
	if end.Name == "" {
		return fmt.Sprint(end.Account)
	}
	return fmt.Sprintf("“%s” (%d)", end.Name, end.Account)
}

// calendarWords says when the calendar of a connected account will be there.
func (p *pages) calendarWords(r *http.Request, end connect.Ending, page *page) string {
	row, err := p.office.Account(r.Context(), lookup.AccountKey(end.Account))
	switch {
	case err != nil && !errors.Is(err, lookup.ErrNotFound):
		p.opts.OnError(err)
		return "Its calendar will be there in a moment."
	case row.Status == lookup.StatusLeft || row.Leaving != nil:
		return "It was disconnected again since then."
	case !row.AsOf.Before(end.At):
		return "Its calendar is there, read at " + row.AsOf.UTC().Format("15:04 UTC on 2 January 2006") + "."
	}
	page.again = true
	return "Its calendar is being read now, which takes about a minute. You need not wait for it."
}

// leavePage asks whether an account is to be disconnected.
func (p *pages) leavePage(end connect.Ending, invite string) page {
	out := page{App: p.opts.AppName, Heading: "Disconnect your account?", Tone: "plain", status: http.StatusOK, Lines: []string{
		fmt.Sprintf("This ends the access of %s to your OwnerRez account %s. Its calendar is no longer looked up, the access is revoked at OwnerRez, and what let us in is deleted.",
			p.opts.AppName, accountWords(end)),
		"Nothing changes in OwnerRez itself: your bookings stay as they are.",
	}}
	out.Form = &form{Account: fmt.Sprint(end.Account), Invite: invite}
	return out
}

func (p *pages) brokenPage() page {
	return page{
		App: p.opts.AppName, Heading: "Something went wrong on our side", Tone: "bad", status: http.StatusInternalServerError,
		Lines: []string{"It has nothing to do with you or with OwnerRez, and nothing was lost.", "Load this page again in a minute. If it stays, tell whoever sent you the link."},
	}
}
