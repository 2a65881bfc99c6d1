package awstest

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// ErrCut is what a request fails with that was cut.
var ErrCut = errors.New("the connection was cut on purpose")

// Cut is a transport that lets one request fail. It is safe for concurrent use.
type Cut struct {
	next   http.RoundTripper
	at     int
	answer bool

	mu   sync.Mutex
	sent int
}

// CutBefore cuts the n-th request, counted from 1, before it is sent. With n = 0 it cuts none.
func CutBefore(n int) *Cut { return newCut(n, false) }

// CutAfter lets the n-th request, counted from 1, be done, and loses its answer.
func CutAfter(n int) *Cut { return newCut(n, true) }

func newCut(n int, answer bool) *Cut {
	return &Cut{next: http.DefaultTransport.(*http.Transport).Clone(), at: n, answer: answer}
}

// RoundTrip implements http.RoundTripper.
func (c *Cut) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.sent++
	mine := c.sent == c.at
	c.mu.Unlock()
	if mine && !c.answer {
		return nil, ErrCut
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil || !mine {
		return resp, err
	}
	_, _ = io.Copy(io.Discard, resp.Body) // the server has done all it does
	_ = resp.Body.Close()
	return nil, ErrCut
}

// Requests is how many requests were tried so far, the cut one included.
func (c *Cut) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}
