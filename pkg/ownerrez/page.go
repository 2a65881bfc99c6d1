package ownerrez

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Page is one answer of a list: a snapshot of some of its rows. Lists of several pages are none, since rows
// shift between pages while they change; their order is not documented.
type Page[T any] struct {
	Items  []T
	Limit  int       // the page's size, as OwnerRez says it, else as it was asked for
	Offset int       // how many rows of the list come before this page, said or asked for
	Count  int       // how many rows the whole list has; -1 if OwnerRez did not say
	Date   time.Time // the answer's Date header: OwnerRez's clock. Zero if there was none

	next string // the link to the next page, as it was sent; may be empty
}

// More reports whether this page is not the whole rest of the list: it names a next page, or its Count says
// that rows come after it.
func (p *Page[T]) More() bool { return p.next != "" || p.Count > p.Offset+len(p.Items) }

// Collect returns all values of seq, or its first error and no values.
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// listing is a list of the API: where it is, and which page of it comes first.
type listing struct {
	route         string
	query         url.Values
	limit, offset int
}

// pageSize is asked for where the caller names none: the largest that OwnerRez documents.
const pageSize = 100

func newListing(route string, query url.Values, limit, offset int) (listing, error) {
	l := listing{route, query, limit, offset}
	if limit < 0 || offset < 0 {
		return l, l.failed(fmt.Errorf("%w: limit and offset must not be negative", ErrInvalid))
	}
	if l.limit == 0 {
		l.limit = pageSize
	}
	query.Set("limit", strconv.Itoa(l.limit))
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	return l, nil
}

func (l listing) failed(err error) error {
	return &Error{Method: http.MethodGet, Route: l.route, Err: err}
}

// readPage fetches one page.
func readPage[T any](ctx context.Context, c *core, l listing) (*Page[T], error) {
	r := request{method: http.MethodGet, base: c.api, route: l.route, path: l.route, query: l.query.Encode()}
	return do(ctx, c, r, func(a *attempt) (*Page[T], error) {
		p := &Page[T]{Limit: l.limit, Offset: l.offset, Count: -1, Date: a.date()}
		if err := p.decode(a.body); err != nil {
			return nil, err
		}
		if len(p.Items) == 0 && p.Count > p.Offset {
			return nil, fmt.Errorf("%w: a page is empty, though %d rows are said to be there", ErrIncomplete, p.Count)
		}
		return p, nil
	})
}

// decode reads a page: a JSON object with at least one of items, limit, offset and count. An empty page may
// have no items.
func (p *Page[T]) decode(body []byte) error {
	var isPage bool
	for key, value := range members(body) {
		ok := true
		switch string(key) {
		case "items":
			ok = isNull(value) || value[0] == '['
			p.Items = decodeRows[T](value)
		case "limit":
			ok = readCount(value, &p.Limit)
		case "offset":
			ok = readCount(value, &p.Offset)
		case "count":
			ok = readCount(value, &p.Count)
		case "next_page_url":
			p.next, ok = stringOf(value)
			if !ok && !isNull(value) {
				return fmt.Errorf("%w: its next_page_url is no text", ErrUnreadable)
			}
			continue
		default:
			continue
		}
		if !ok {
			return fmt.Errorf("%w: its %s is of another kind", ErrUnreadable, key)
		}
		isPage = true
	}
	if !isPage {
		return fmt.Errorf("%w: it is not a page of a list", ErrUnreadable)
	}
	return nil
}

func decodeRows[T any](array []byte) []T {
	var raw [][]byte
	for element := range elements(array) {
		raw = append(raw, element)
	}
	rows := make([]T, len(raw))
	for i := range raw {
		rows[i] = decodeRow[T](raw[i])
	}
	return rows
}

// readCount reads a number that cannot be negative. Null and negative ones say nothing.
func readCount(value []byte, n *int) bool {
	if isNull(value) {
		return true
	}
	read, ok := intOf(value)
	if ok && read >= 0 {
		*n = read
	}
	return ok
}

// readAll yields the rows of all pages, each id once. An error is yielded once, and ends it.
func readAll[T any](ctx context.Context, c *core, l listing, id func(T) int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		walk := newWalk(c.api, l, c.maxPages)
		known := make(map[int64]bool)
		for more := true; more; {
			page, err := readPage[T](ctx, c, walk.listing)
			if err != nil {
				yield(zero, err)
				return
			}
			for _, row := range page.Items {
				if id(row) != 0 && known[id(row)] {
					continue
				}
				known[id(row)] = true
				walk.rows++
				if !yield(row, nil) {
					return
				}
			}
			more, err = walk.on(page.next, page.Offset, len(page.Items), page.Count)
			if err != nil {
				yield(zero, l.failed(err))
				return
			}
		}
	}
}

// failing is a sequence that yields err and ends.
func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}
