package dynamo_test

import (
	"crypto/rand"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"sync"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
)

// newPartition is one that nothing else uses.
func newPartition() string { return "TEST#" + rand.Text() }

// lose is a transport that loses the answer to the first request, and before that does something else.
type lose struct {
	next http.RoundTripper
	then func()
	once sync.Once
}

// RoundTrip implements http.RoundTripper.
func (l *lose) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	lost := false
	l.once.Do(func() {
		if err == nil {
			drop(resp)
		}
		l.then()
		lost = true
	})
	if lost {
		return nil, awstest.ErrCut
	}
	return resp, err
}

// flaky is a transport that cuts requests at random: half of the cut ones were done.
type flaky struct {
	next  http.RoundTripper
	share float64 // of requests that are cut

	mu       sync.Mutex
	rng      *mathrand.Rand
	cut      int
	conflict int // answers that a condition does not hold, or something else that is refused
}

// RoundTrip implements http.RoundTripper.
func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	before := f.rng.Float64() < f.share/2
	after := !before && f.rng.Float64() < f.share/2
	if before || after {
		f.cut++
	}
	f.mu.Unlock()
	if before {
		return nil, awstest.ErrCut
	}
	resp, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusBadRequest {
		f.mu.Lock()
		f.conflict++
		f.mu.Unlock()
	}
	if after {
		drop(resp)
		return nil, awstest.ErrCut
	}
	return resp, nil
}

// drop reads an answer to its end, by when the engine has done all it does.
func drop(resp *http.Response) {
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}
