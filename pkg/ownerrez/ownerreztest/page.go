package ownerreztest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// endlessParameter is the parameter of a link that NextLinkEndless made: its page has rows and such a link again.
const endlessParameter = "page_again"

// window reads limit and offset.
func (q Quirks) window(query url.Values) (limit, offset int, err error) {
	most := orDefault(q.MaxLimit, 100)
	limit = min(orDefault(q.DefaultLimit, 20), most)
	if query.Has("limit") {
		if limit, err = strconv.Atoi(query.Get("limit")); err != nil || limit < 1 {
			return 0, 0, fmt.Errorf("limit must be a positive number")
		}
		if limit > most && q.RejectLimitAboveMax {
			return 0, 0, fmt.Errorf("limit must not be above %d", most)
		}
		limit = min(limit, most)
	}
	if query.Has("offset") {
		if offset, err = strconv.Atoi(query.Get("offset")); err != nil || offset < 0 {
			return 0, 0, fmt.Errorf("offset must be a number from 0 on")
		}
	}
	return limit, offset, nil
}

// page answers with the rows from offset on. The row function gives the JSON of one.
func (s *Server) page(c *call, total int, counted bool, row func(i int) []byte) answer {
	q := s.quirks
	limit, offset, err := q.window(c.query)
	if err != nil {
		return q.invalid("%v.", err)
	}
	first, endless := offset, c.query.Has(endlessParameter)
	if endless {
		first = 0
	}
	var rows [][]byte
	for i := first; i < min(total, first+limit); i++ {
		rows = append(rows, row(i))
	}
	rest := map[string]any{"limit": limit, "offset": offset}
	q.link(rest, c.nextLink(q, limit, offset+limit, endless), endless || offset+limit < total)
	if counted || q.Link == LinkNever {
		rest["count"] = total
	}
	a := textAnswer(http.StatusOK, jsonType, envelope(rows, rest, q))
	a.total = total
	return a
}

// envelope writes a page. The rows are JSON already, and are not read again.
func envelope(rows [][]byte, rest map[string]any, q Quirks) []byte {
	end := encode(rest)
	if len(rows) == 0 && q.OmitItemsWhenEmpty {
		return end
	}
	items := bytes.Join(rows, []byte(","))
	return slices.Concat([]byte(`{"items":[`), items, []byte(`],`), end[1:])
}

// link writes next_page_url, if it is to be there.
func (q Quirks) link(body map[string]any, next string, more bool) {
	switch {
	case more && q.Link != LinkNever:
		body["next_page_url"] = next
	case q.LastLink == LastLinkNull:
		body["next_page_url"] = nil
	case q.LastLink == LastLinkEmpty:
		body["next_page_url"] = ""
	}
}

// nextLink is the address of the page that begins at offset.
func (c *call) nextLink(q Quirks, limit, offset int, endless bool) string {
	query := url.Values{}
	maps.Copy(query, c.query)
	query.Set("limit", strconv.Itoa(limit))
	query.Set("offset", strconv.Itoa(offset))
	if endless {
		query.Set(endlessParameter, "1")
	}
	origin := c.origin
	if q.Link == LinkRelative {
		if u, err := url.Parse(origin); err == nil {
			origin = u.Path
		}
	}
	return origin + c.r.URL.Path + "?" + query.Encode()
}

func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}
