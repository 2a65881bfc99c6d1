package ownerrez

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
)

// walk goes from page to page, and sees to it that a short list is never taken for the whole one.
type walk struct {
	listing
	api    *url.URL
	start  int             // the offset of the first page
	rows   int             // the different rows so far
	pages  int             // how many more may be read
	linked bool            // a link or a count led to the page at hand
	seen   map[string]bool // the queries of all pages so far
}

func newWalk(api *url.URL, l listing, maxPages int) *walk {
	return &walk{listing: l, api: api, start: l.offset, pages: maxPages - 1, seen: map[string]bool{l.query.Encode(): true}}
}

// on goes to the page after the one at hand, of which it gets the link, offset, number of rows and count.
// It reports false at the end of the list.
func (w *walk) on(next string, offset, rows, count int) (bool, error) {
	switch missing := count > offset+rows; {
	case rows == 0 && w.linked && (count < 0 || next != ""):
		return false, fmt.Errorf("%w: a page that the page before led to is empty", ErrIncomplete)
	case next != "":
		query, err := w.follow(next)
		if err != nil {
			return false, err
		}
		w.query = query
	case missing:
		w.query = maps.Clone(w.query)
		w.query.Set("offset", strconv.Itoa(offset+rows))
	case w.start+w.rows < count:
		return false, fmt.Errorf("%w: %d rows came of %d", ErrIncomplete, w.rows, count-w.start)
	default:
		return false, nil
	}
	err := w.enter()
	return err == nil, err
}

// enter notes the page that comes next.
func (w *walk) enter() error {
	key := w.query.Encode()
	if w.seen[key] {
		return fmt.Errorf("%w: its pages lead in a circle", ErrIncomplete)
	}
	if w.pages == 0 {
		return fmt.Errorf("%w: it has more pages than are allowed", ErrIncomplete)
	}
	w.seen[key], w.linked = true, true
	w.pages--
	if offset, err := strconv.Atoi(w.query.Get("offset")); err == nil && offset >= 0 {
		w.offset = offset
	}
	return nil
}

// follow reads a link to the next page: absolute, or relative to whatever, with the path of our base URL or
// without. It must lead to the same list on the same host, and so only its query matters.
func (w *walk) follow(link string) (url.Values, error) {
	ref, err := url.Parse(link)
	if err != nil || ref.Opaque != "" {
		return nil, fmt.Errorf("%w: the link to its next page is not valid", ErrIncomplete)
	}
	u := w.api.ResolveReference(ref)
	if u.Scheme != w.api.Scheme || !strings.EqualFold(hostPort(u), hostPort(w.api)) || u.User != nil {
		return nil, fmt.Errorf("%w: the link to its next page leads to another host", ErrIncomplete)
	}
	last := w.route[strings.LastIndex(w.route, "/"):]
	if ref.Path != "" && !strings.HasSuffix(strings.ToLower("/"+strings.TrimRight(ref.Path, "/")), last) {
		return nil, fmt.Errorf("%w: the link to its next page leads elsewhere", ErrIncomplete)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: the link to its next page is not valid", ErrIncomplete)
	}
	return query, nil
}

// hostPort is the host with its port, also where that is the scheme's own.
func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return u.Hostname() + ":" + map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
