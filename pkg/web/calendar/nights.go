package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// maxProperties is how many properties a page of a calendar has.
const maxProperties = 50

// calendar answers with a Document. Where all properties are meant they come by id, and the next page begins behind
// the last one that was shown: what appears or vanishes meanwhile makes no other be skipped or come twice. Where
// some are named, the next page is about those that are left.
func (a *api) calendar(ctx context.Context, q *query) (any, error) {
	id, after := q.account(), q.after()
	from, to := q.nights()
	asked := q.properties()
	if len(q.values["property"]) > 0 && len(q.values["after"]) > 0 {
		q.refuse("after goes on with all properties of an account; leave it out where some are named.")
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	snap, err := lookup.Load(ctx, a.store, id)
	if errors.Is(err, lookup.ErrNotFound) || snap.Account.Status == lookup.StatusLeft {
		return nil, noAccount(id)
	}
	if err != nil {
		return nil, err
	}
	v := view{snap, a.opts.Settings, a.opts.Now()}
	ids := v.askedFor(asked)
	if len(asked) == 0 {
		ids = slices.DeleteFunc(ids, func(p int64) bool { return p <= after })
	}
	return v.page(ids, from, to, a.pages, len(asked) > 0), nil
}

// page answers for as many of the properties as a page has, and links to the next one, which names what is left if
// the properties were named.
func (v view) page(ids []int64, from, to ownerrez.Date, end limits, named bool) Document {
	most := ids[:min(len(ids), end.properties)]
	left := room(end.bytes)
	doc, rest := v.document(most, from, to, func(p Property) bool { return left.take(p) })
	shown := len(most) - len(rest)
	if shown == len(ids) {
		return doc
	}
	doc.Next = calendarLink(v.Account.ID, from, to)
	if !named {
		doc.Next += fmt.Sprintf("&after=%d", ids[shown-1])
		return doc
	}
	var names []string
	for _, p := range ids[shown:] {
		names = append(names, strconv.FormatInt(p, 10))
	}
	doc.Next += "&property=" + strings.Join(names, ",")
	return doc
}

// calendarLink is the path and query of an account's calendar, from its first property on.
func calendarLink(account int64, from, to ownerrez.Date) string {
	return fmt.Sprintf("%s?account=%d&from=%s&to=%s", calendarPath, account, from, to)
}
