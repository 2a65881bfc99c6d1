package ownerreztest

import (
	"fmt"
	"net"
	"net/http"
)

// Action is what a Fault does to a request. Its String is a short name, fit for a subtest's.
type Action struct {
	name, doc     string
	before, after func()
	as            int64
	replaces      bool // the request is not processed
	edit          func(q Quirks, c *call, a answer) answer
	send          func(w http.ResponseWriter, c *call, a answer)
}

// String is the action's name.
func (a Action) String() string { return a.name }

// Doc says in a sentence what the action does.
func (a Action) Doc() string { return a.doc }

// replace makes an action that answers without processing the request.
func replace(name, doc string, with func(q Quirks, c *call) answer) Action {
	return Action{name: name, doc: doc, replaces: true, edit: func(q Quirks, c *call, _ answer) answer { return with(q, c) }}
}

// Status answers with a status, and the body that OwnerRez has for it: on a request by id, Status(404) is the
// very answer of a record that is not there. Statuses below 400 come without a body.
func Status(code int) Action {
	return replace(fmt.Sprintf("status %d", code), "answers with the status in OwnerRez's own shape", func(q Quirks, c *call) answer {
		switch {
		case code < 400:
			return answer{status: code}
		case code == http.StatusMethodNotAllowed:
			return unsupported(c)
		case code == http.StatusTooManyRequests:
			return q.rateLimited()
		case code == http.StatusNotFound && MatchByID(c.r):
			return missing(q, c)
		}
		word := codes[code]
		if word == "" {
			word = "error"
		}
		if c.r.URL.Path == tokenPath || c.r.URL.Path == tokenAlias {
			return oauthFailure(code, word, http.StatusText(code))
		}
		return q.failure(code, word, http.StatusText(code)+".")
	})
}

// missing is the answer to a record by id that is not there.
func missing(q Quirks, c *call) answer {
	if id := idOf(c.r, bookingsPath); id != 0 {
		return q.notFound("Booking", fmt.Sprint(id))
	}
	return q.notFound("Property", fmt.Sprint(idOf(c.r, propertiesPath)))
}

// Body answers with a status and a body as it is.
func Body(code int, contentType, body string) Action {
	return replace(fmt.Sprintf("status %d with a body", code), "answers with a status and a given body",
		func(Quirks, *call) answer { return textAnswer(code, contentType, []byte(body)) })
}

// JSON answers with a status and a body that calls itself JSON.
func JSON(code int, body string) Action { return Body(code, jsonType, body) }

// Header adds a header to the answer.
func Header(key, value string) Action {
	return Action{name: "header " + key, doc: "adds a header to the answer",
		edit: func(_ Quirks, _ *call, a answer) answer { return a.with(key, value) }}
}

// HTML answers with a page of HTML, as what stands before the API sends it.
func HTML(code int) Action {
	return replace(fmt.Sprintf("HTML %d", code), "answers with a page of HTML", func(Quirks, *call) answer { return htmlPage(code) })
}

// Empty answers with a status and no body.
func Empty(code int) Action {
	return replace(fmt.Sprintf("empty %d", code), "answers with the status and an empty body",
		func(Quirks, *call) answer { return textAnswer(code, jsonType, nil) })
}

// Redirect answers with a 3xx that leads to location; "" leads to the request's own address.
func Redirect(code int, location string) Action {
	return replace(fmt.Sprintf("redirect %d", code), "redirects to another address", func(_ Quirks, c *call) answer {
		if location == "" {
			location = c.origin + c.r.URL.RequestURI()
		}
		return textAnswer(code, htmlType, nil).with("Location", location)
	})
}

// Hang never answers: it waits until the caller gives up, or the server is closed.
func Hang() Action {
	a := replace("hang", "does not answer until the caller gives up", func(Quirks, *call) answer { return answer{} })
	a.send = func(_ http.ResponseWriter, c *call, _ answer) { hang(c) }
	return a
}

// HangHalfway sends the head and half of the body, and then waits as Hang does.
func HangHalfway() Action {
	return Action{name: "hang half-way", doc: "sends half of the body and then nothing more until the caller gives up",
		send: func(w http.ResponseWriter, c *call, a answer) {
			sendHalf(w, c, a)
			hang(c)
		}}
}

// Reset closes the connection without an answer after the request was read; the request has no effect.
func Reset() Action {
	a := replace("reset", "closes the connection without an answer", func(Quirks, *call) answer { return answer{} })
	a.send = func(w http.ResponseWriter, _ *call, _ answer) { closeConnection(w) }
	return a
}

// LoseAnswer processes the request and then closes the connection without an answer: a token that was
// granted is lost.
func LoseAnswer() Action {
	return Action{name: "lost answer", doc: "processes the request, and closes the connection without an answer",
		edit: func(_ Quirks, _ *call, a answer) answer { a.status = 0; return a },
		send: func(w http.ResponseWriter, _ *call, _ answer) { closeConnection(w) }}
}

// BreakHalfway closes the connection after half of the body, whose Content-Length was right.
func BreakHalfway() Action {
	return Action{name: "break half-way", doc: "closes the connection after half of the body",
		send: func(w http.ResponseWriter, c *call, a answer) {
			sendHalf(w, c, a)
			panic(http.ErrAbortHandler)
		}}
}

// Pad adds n spaces to the end of the body: a huge answer, and right otherwise.
func Pad(n int) Action {
	return Action{name: "padded", doc: "makes the body larger", edit: func(_ Quirks, _ *call, a answer) answer {
		padded := make([]byte, len(a.body)+n)
		for i := copy(padded, a.body); i < len(padded); i++ {
			padded[i] = ' '
		}
		a.body = padded
		return a
	}}
}

// Before calls f before the request is answered: what f changes in the world is in the answer. It runs on the
// server's goroutine, so it must not call t.Fatal.
func Before(f func()) Action { return Action{name: "before", doc: "runs a function first", before: f} }

// After calls f when the answer is made and before it is sent: what f changes is not in the answer, and has
// happened when the caller reads it. It runs on the server's goroutine, so it must not call t.Fatal.
func After(f func()) Action {
	return Action{name: "after", doc: "runs a function after the answer is made", after: f}
}

// AsAccount answers as if the token were another account's.
func AsAccount(id int64) Action {
	return Action{name: "as another account", doc: "answers with another account's data", as: id}
}

// sendHalf sends the head and half of the body. Of an answer without a body, which the head alone would make whole, and where
// another action has left none, it sends nothing.
func sendHalf(w http.ResponseWriter, c *call, a answer) {
	if a.status == 0 || len(a.body) == 0 {
		return
	}
	a.write(w, c.at, a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush() // what cannot be flushed is sent by the panic or never
}

// hang waits for the caller to leave, and then ends the connection.
func hang(c *call) {
	<-c.r.Context().Done()
	panic(http.ErrAbortHandler)
}

// closeConnection ends the connection so that the caller sees no answer: a reset, where it is TCP.
func closeConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing then sends a reset
	}
	_ = conn.Close()
}
