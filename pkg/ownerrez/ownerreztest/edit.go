package ownerreztest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Edit changes the JSON of a good answer: change gets the decoded value (numbers are json.Number) and returns
// the one to send. Answers that are errors stay as they are.
func Edit(name string, change func(value any) any) Action {
	return edit(name, "changes the answer's JSON", func(_ Quirks, _ *call, a answer, value any) answer {
		a.body = encode(change(value))
		return a
	})
}

// EditRows changes the rows of a good answer: those of a page or list, or the one of a request by id. If none
// is left by id, the answer is 404. A count is changed by as many as the rows.
func EditRows(name string, change func(rows []any) []any) Action {
	return edit(name, "changes the rows of the answer", rowsEditor(change, false))
}

// edit makes an action that changes a good JSON answer.
func edit(name, doc string, change func(q Quirks, c *call, a answer, value any) answer) Action {
	return Action{name: name, doc: doc, edit: func(q Quirks, c *call, a answer) answer {
		decoder := json.NewDecoder(bytes.NewReader(a.body))
		decoder.UseNumber()
		var value any
		if a.status != http.StatusOK || decoder.Decode(&value) != nil {
			return a
		}
		return change(q, c, a, value)
	}}
}

// rowsEditor applies change to the rows. With tell, the page has a count, of the rows that there should be.
func rowsEditor(change func([]any) []any, tell bool) func(Quirks, *call, answer, any) answer {
	return func(q Quirks, c *call, a answer, value any) answer {
		switch v := value.(type) {
		case []any:
			value = append([]any{}, change(v)...)
		case map[string]any:
			if !isPage(v) {
				changed := change([]any{v})
				if len(changed) == 0 {
					return dropped(q, c, a)
				}
				value = changed[0]
				break
			}
			rows, list := v["items"].([]any)
			if v["items"] != nil && !list {
				return a // of another fault, which must go on telling of itself
			}
			changed := change(rows)
			v["items"] = append([]any{}, changed...) // never null
			if tell {
				v["count"] = a.total
			} else if count, err := strconv.Atoi(fmt.Sprint(v["count"])); err == nil {
				v["count"] = count + len(changed) - len(rows)
			}
		}
		a.body = encode(value)
		return a
	}
}

// dropped is a record by id that is not shown.
func dropped(q Quirks, c *call, a answer) answer {
	if MatchByID(c.r) {
		return missing(q, c)
	}
	return a
}

func isPage(v map[string]any) bool {
	_, has := v["limit"]
	return has
}

// DropRows leaves out the rows whose id drop chooses, and tells nobody: a count is lowered. By id they are
// not found. Pages stay as they were cut: the rows after them do not move up.
func DropRows(drop func(id int64) bool) Action {
	return edit("rows dropped", "leaves out rows silently", rowsEditor(without(drop), false))
}

// DropRowsCounted leaves out the rows whose id drop chooses, while the page's count tells how many there
// should be. By id they are not found.
func DropRowsCounted(drop func(id int64) bool) Action {
	return edit("rows dropped, count tells", "leaves out rows, and the count says so", rowsEditor(without(drop), true))
}

func without(drop func(id int64) bool) func([]any) []any {
	return func(rows []any) []any {
		kept := []any{}
		for _, row := range rows {
			if !drop(rowID(row)) {
				kept = append(kept, row)
			}
		}
		return kept
	}
}

// rowID is the id of a row; 0 if it has none.
func rowID(row any) int64 {
	o, _ := row.(map[string]any)
	for _, key := range []string{"id", "Id"} {
		if n, ok := o[key].(json.Number); ok {
			id, _ := n.Int64()
			return id
		}
	}
	return 0
}

// EmptyPage answers with {"limit":100,"offset":0}, which is how OwnerRez may say that there are no rows.
func EmptyPage() Action {
	return replace("empty page", "answers with a page without items", func(q Quirks, c *call) answer {
		limit, offset, err := q.window(c.query)
		if err != nil {
			limit, offset = 100, 0
		}
		return jsonAnswer(http.StatusOK, map[string]any{"limit": limit, "offset": offset})
	})
}

// NextLink puts a next_page_url into a page. What is no page stays as it is.
func NextLink(link string) Action {
	return nextLink("next link", "puts a link into a page", func(*call, map[string]any) string { return link })
}

func nextLink(name, doc string, link func(c *call, page map[string]any) string) Action {
	return edit(name, doc, func(_ Quirks, c *call, a answer, value any) answer {
		if page, ok := value.(map[string]any); ok && isPage(page) {
			page["next_page_url"] = link(c, page)
			a.body = encode(page)
		}
		return a
	})
}

// NextLinkElsewhere makes a page's next_page_url lead to another host.
func NextLinkElsewhere() Action {
	return nextLink("next link to another host", "the next page is on a host that is not OwnerRez", func(c *call, page map[string]any) string {
		link := c.following(page)
		link.Host = "elsewhere.example"
		return link.String()
	})
}

// NextLinkOtherScheme makes a page's next_page_url change between http and https.
func NextLinkOtherScheme() Action {
	return nextLink("next link with another scheme", "the next page is asked for by http instead of https, or the other way round",
		func(c *call, page map[string]any) string {
			link := c.following(page)
			if link.Scheme == "https" {
				link.Scheme = "http"
			} else {
				link.Scheme = "https"
			}
			return link.String()
		})
}

// NextLinkAgain makes a page's next_page_url lead to the same page again.
func NextLinkAgain() Action {
	return nextLink("next link to the same page", "the next page is this one again", func(c *call, _ map[string]any) string {
		return c.origin + c.r.URL.RequestURI()
	})
}

// NextLinkEndless makes a page's next_page_url lead to a page with rows and such a link again, for ever: the
// pages behind it need no further fault.
func NextLinkEndless() Action {
	return nextLink("next link without end", "there is always another page", func(c *call, page map[string]any) string {
		link := c.following(page)
		query := link.Query()
		query.Set(endlessParameter, "1")
		link.RawQuery = query.Encode()
		return link.String()
	})
}

// following is the address of the page after this one.
func (c *call) following(page map[string]any) *url.URL {
	limit, _ := strconv.Atoi(fmt.Sprint(page["limit"]))
	offset, _ := strconv.Atoi(fmt.Sprint(page["offset"]))
	link, err := url.Parse(c.nextLink(Quirks{}, limit, offset+limit, false))
	if err != nil {
		return &url.URL{Scheme: "http", Host: c.r.Host, Path: c.r.URL.Path}
	}
	return link
}

// idOf is the id in the path of a request for one record below list; 0 if it is another request.
func idOf(r *http.Request, list string) int64 {
	if !numbered(r.URL.Path, list) {
		return 0
	}
	id, _ := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, list+"/"), 10, 64)
	return id
}
