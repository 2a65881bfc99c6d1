package connect

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// page is what the template shows.
type page struct {
	Topic   string // what all of it is about
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

// page is the page of an ending. flow is the flow that ended, if this browser can begin it again.
func (p *pages) page(end connect.Ending, flow string) page {
	w, ok := pageWords[end.Kind]
	if !ok {
		p.opts.OnError(errors.New("there is no page for the ending " + string(end.Kind)))
		w = ownTrouble
	}
	return p.compose(w, end, flow)
}

// compose makes the page of some words.
func (p *pages) compose(w words, end connect.Ending, flow string) page {
	out := page{Topic: "Connect to " + p.opts.AppName, Heading: w.heading, Tone: w.tone, Lines: slices.Clone(w.lines), status: w.status}
	switch end.Kind {
	case connect.Underway:
		out.again = true
	case connect.Busy: // the same address goes on where it was
		out.Reload = "60"
	case connect.Leaving, connect.NotKnownBrowser:
		out.Topic = "Disconnect from " + p.opts.AppName
	}
	switch {
	case w.retry != "" && flow != "":
		out.Links = append(out.Links, link{w.retry, connect.ConnectPath + "?flow=" + url.QueryEscape(flow), true})
	case w.invited != "" && p.office.Open:
		out.Links = append(out.Links, link{"Connect an account", connect.ConnectPath, end.Kind != connect.Leaving})
	case w.invited != "":
		out.Lines = append(out.Lines, w.invited)
	}
	return out
}

// connectedPage says which account is connected, and when its calendar will be there; or that it was disconnected since.
func (p *pages) connectedPage(r *http.Request, end connect.Ending) page {
	row, asked, err := p.standing(r.Context(), end.Account)
	if err == nil && leftSince(row, asked, end.At) {
		return p.leavingPage(r, end)
	}
	out := p.page(end, "")
	out.Lines = append([]string{fmt.Sprintf("Your OwnerRez account %s is connected to %s.", accountWords(end), p.opts.AppName)}, out.Lines...)
	calendar := "Its calendar will be there in a moment."
	if err != nil {
		p.opts.OnError(err)
	} else {
		calendar, out.again = p.calendarWords(row, end)
	}
	out.Lines = append(out.Lines, calendar)
	if u, err := url.Parse(end.Return); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		out.Links = append(out.Links, link{"Back to " + u.Host, end.Return, true})
	}
	if secretOf(r, accountCookie(end.Account)) != "" {
		out.Links = append(out.Links, link{"Disconnect this account", leaveAddress(end.Account), false})
	}
	return out
}

// standing is what is stored of an account, and what its lane has yet to do; either is zero if there is nothing.
func (p *pages) standing(ctx context.Context, id int64) (row lookup.Account, asked lookup.Request, err error) {
	row, err = p.office.Account(ctx, lookup.AccountKey(id))
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		return row, asked, err
	}
	if p.office.Requested == nil {
		return row, asked, nil
	}
	if asked, err = p.office.Requested(ctx, id); errors.Is(err, lookup.ErrNotFound) {
		return row, lookup.Request{}, nil
	}
	return row, asked, err
}

// leftSince reports whether an account that was connected at a time was disconnected after it. What the lane has yet to
// do is the last word.
func leftSince(row lookup.Account, asked lookup.Request, at time.Time) bool {
	if asked.Account != 0 {
		return asked.Leave
	}
	return row.Leaving != nil && row.Leaving.At.After(at) || row.Left != nil && row.Left.At.After(at)
}

// accountWords names an account.
func accountWords(end connect.Ending) string {
	if end.Name == "" {
		return fmt.Sprint(end.Account)
	}
	return fmt.Sprintf("“%s” (%d)", end.Name, end.Account)
}

// recent is how long before a host came back a calendar may have been read, to be as good as one read afterwards: the
// clocks of OwnerRez and ours may differ.
const recent = time.Minute

// calendarWords says when the calendar of a connected account will be there, and whether that is worth waiting for.
func (p *pages) calendarWords(row lookup.Account, end connect.Ending) (text string, again bool) {
	zone, err := time.LoadLocation(row.Zone)
	if err != nil {
		zone = time.UTC
	}
	read := fmt.Sprintf("%s ago, %s (%s)", availability.Age(p.opts.Now().Sub(row.AsOf)), row.AsOf.In(zone).Format("Mon 2 Jan 2006, 15:04"), zone)
	fresh := row.Status != lookup.StatusLeft && (end.Kind == connect.Connected || !row.AsOf.Before(end.At.Add(-recent)))
	switch {
	case !row.AsOf.IsZero() && fresh:
		return "Its calendar is there, read " + read + ".", false
	case row.Failures > 0 && row.RunBegan.After(end.At):
		return "Its calendar could not be read yet. That is tried again by itself: there is nothing that you need to do.", true
	case !row.AsOf.IsZero():
		return "Its calendar was last read " + read + ". It is being read again now, which takes about a minute. You need not wait for it.", true
	}
	return "Its calendar is being read now, which takes about a minute. You need not wait for it.", true
}

// leavePage asks whether an account is to be disconnected.
func (p *pages) leavePage(end connect.Ending, invite string) page {
	return page{
		Topic: "Disconnect from " + p.opts.AppName, Heading: "Disconnect your account?", Tone: "plain", status: http.StatusOK,
		Lines: []string{
			fmt.Sprintf("This ends the access of %s to your OwnerRez account %s. Its calendar is no longer looked up, the access is revoked at OwnerRez, and what let us in is deleted.",
				p.opts.AppName, accountWords(end)),
			"Nothing changes in OwnerRez itself: your bookings stay as they are.",
		},
		Form: &form{Account: fmt.Sprint(end.Account), Invite: invite},
	}
}

// leavingPage says how far an account has come in being disconnected.
func (p *pages) leavingPage(r *http.Request, end connect.Ending) page {
	end.Kind = connect.Leaving
	out := p.page(end, "")
	row, asked, err := p.standing(r.Context(), end.Account)
	if err != nil {
		p.opts.OnError(err)
	}
	text := "Your OwnerRez account %s is being disconnected from %s: nothing is looked up any more, the access is revoked at OwnerRez, and what let us in is deleted. That takes about a minute. You need not wait for it."
	if out.again = true; err == nil && row.Status == lookup.StatusLeft && asked.Account == 0 {
		text = "Your OwnerRez account %s is disconnected from %s: nothing is looked up any more, the access was revoked at OwnerRez, and what let us in was deleted."
		out.again = false
	}
	out.Lines = append([]string{fmt.Sprintf(text, accountWords(end), p.opts.AppName)}, out.Lines...)
	return out
}
