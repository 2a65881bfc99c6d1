package ownerreztest

import (
	"net/http"
	"slices"
	"strings"
)

// AllFaults returns ready-made actions of every kind, each with a name of its own, so that a test can go
// through "every request of a read and every kind of fault". They make sense for lists, for records by id, for
// users/me and for the lookup list; where one has nothing to change, the answer stays as it is.
//
// Some of their answers could be true, since nothing in them tells that something is missing: "status 404" and
// "200 with not found" by id, "empty list" in the place of the lookup list, and those that TellingFaults lacks.
func AllFaults() []Action {
	var all []Action
	for _, code := range []int{400, 401, 402, 403, 404, 405, 408, 409, 414, 422, 429, 500, 502, 503, 504, 204, 304} {
		all = append(all, Status(code))
	}
	all = append(all, transportFaults()...)
	all = append(all, bodyFaults()...)
	all = append(all, pageFaults()...)
	return append(all, rowFaults()...)
}

// TellingFaults returns those of AllFaults of which the answer itself, in the place of a list of bookings, tells that it
// cannot be used, or is not whole: alone, and two of them together.
func TellingFaults() []Action {
	silent := []string{"empty page", "first row dropped", "rows dropped", "all rows dropped", "page cut and closed", "items null"}
	return slices.DeleteFunc(AllFaults(), func(a Action) bool { return slices.Contains(silent, a.name) })
}

// transportFaults are those below the JSON.
func transportFaults() []Action {
	return []Action{
		Redirect(http.StatusFound, "http://elsewhere.example/").called("redirect 302 to another host"),
		Redirect(http.StatusTemporaryRedirect, "").called("redirect 307 to itself"),
		Empty(http.StatusOK), Empty(http.StatusInternalServerError),
		Hang(), HangHalfway(), Reset(), LoseAnswer(), BreakHalfway(), truncated(),
		HTML(http.StatusOK), HTML(http.StatusForbidden), HTML(http.StatusBadGateway),
	}
}

// bodyFaults are bodies that are not what was asked for.
func bodyFaults() []Action {
	ok := func(name, body string) Action { return JSON(http.StatusOK, body).called(name) }
	return []Action{
		ok("200 with an error", `{"messages":["Something went wrong."],"code":"server_error","doc_url":"","status":"server_error","status_code":500}`),
		ok("200 with not found", `{"messages":["Expected entity not found."],"code":"not_found","status":"not_found","status_code":404}`),
		ok("200 with the rate limit", `{"code":429,"error":"Rate limit exceeded."}`),
		ok("200 with an OAuth error", `{"error":"invalid_token","error_description":"The token is not valid."}`),
		ok("empty object", `{}`), ok("null", `null`), ok("empty list", `[]`), ok("a text", `"OK"`),
		ok("items null", `{"items":null,"limit":100,"offset":0}`),
		ok("items an object", `{"items":{"id":1},"limit":100,"offset":0}`),
	}
}

// pageFaults are pages that lead astray or are not whole.
func pageFaults() []Action {
	first := func(rows []any) []any { return rows[min(1, len(rows)):] }
	half := func(rows []any) []any {
		kept := []any{}
		for i := 1; i < len(rows); i += 2 {
			kept = append(kept, rows[i])
		}
		return kept
	}
	none := func([]any) []any { return []any{} }
	dropping := func(name string, change func([]any) []any, tell bool) Action {
		return edit(name, "leaves out rows of an answer", rowsEditor(change, tell))
	}
	return []Action{
		EmptyPage(),
		NextLinkElsewhere(), NextLinkOtherScheme(), NextLinkAgain(), NextLinkEndless(),
		dropping("first row dropped", first, false), dropping("first row dropped, count tells", first, true),
		dropping("rows dropped", half, false), dropping("rows dropped, count tells", half, true),
		dropping("all rows dropped", none, false), dropping("all rows dropped, count tells", none, true),
		cutAndClosed(),
		EditRows("row repeated", func(rows []any) []any { return slices.Concat(rows[:min(1, len(rows))], rows) }),
	}
}

// truncated cuts the body, and tells the length of what is left.
func truncated() Action {
	return Action{name: "truncated JSON", doc: "cuts the body half-way, with a Content-Length that fits",
		edit: func(_ Quirks, _ *call, a answer) answer {
			a.body = a.body[:len(a.body)/2]
			return a
		}}
}

// cutAndClosed leaves half of a page's rows, and neither limit nor link nor count: it looks complete. A record
// by id has its id and nothing else.
func cutAndClosed() Action {
	return edit("page cut and closed", "leaves half of a page that still looks complete", func(_ Quirks, _ *call, a answer, value any) answer {
		switch v := value.(type) {
		case []any:
			value = v[:len(v)/2]
		case map[string]any:
			if rows, ok := v["items"].([]any); ok {
				value = map[string]any{"items": rows[:len(rows)/2]}
			} else {
				value = map[string]any{"id": v["id"]}
			}
		}
		a.body = encode(value)
		return a
	})
}

// called gives the action another name.
func (a Action) called(name string) Action {
	a.name = name
	return a
}

// rowFaults are rows that cannot be used, in the place of the first one of an answer.
func rowFaults() []Action {
	row := func(name string, change func(o map[string]any)) Action {
		return EditRows(name, func(rows []any) []any {
			if len(rows) > 0 {
				if o, ok := rows[0].(map[string]any); ok {
					change(o)
				}
			}
			return rows
		})
	}
	remove := func(keys ...string) func(map[string]any) {
		return func(o map[string]any) {
			for _, key := range keys {
				delete(o, key)
			}
		}
	}
	return []Action{
		row("row of wrong types", wrongTypes),
		row("row without id", remove("id", "Id")),
		row("row with id 0", func(o map[string]any) { o["id"] = 0; delete(o, "Id") }),
		row("row without property", remove("property_id", "property")),
		row("row without dates", remove("arrival", "departure")),
		row("row with absurd dates", func(o map[string]any) { o["arrival"], o["departure"] = "0000-00-00", "someday" }),
		row("row that departs before it arrives", func(o map[string]any) { o["arrival"], o["departure"] = o["departure"], o["arrival"] }),
		row("row without status and type", remove("status", "type")),
		EditRows("row that is no object", func(rows []any) []any {
			if len(rows) > 0 {
				rows[0] = "row"
			}
			return rows
		}),
	}
}

// wrongTypes gives every value another type.
func wrongTypes(o map[string]any) {
	for key, value := range o {
		switch value.(type) {
		case string:
			o[key] = len(key)
		case bool:
			o[key] = strings.ToUpper(key)
		default:
			o[key] = []any{map[string]any{"value": key}}
		}
	}
}
