package eventbridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/eventbridge"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/log"
)

func offline() aws.Config {
	return aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// answering returns a publisher whose requests are all answered so, and what the requests hold.
func answering(t *testing.T, status int, answer string) (p *eventbridge.Publisher, sent *[]string) {
	t.Helper()
	sent = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading a request: %v", err)
		}
		*sent = append(*sent, string(body))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	conf := offline()
	conf.BaseEndpoint = &server.URL
	return eventbridge.New(conf, "the-bus"), sent
}

const taken = `{"FailedEntryCount":0,"Entries":[{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}]}`

func event(seq int64) lookup.Event {
	asOf := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	return lookup.Event{
		Kind: lookup.AvailabilityChanged, Version: 1, Account: 123456, Seq: seq, Property: 4401, AsOf: asOf, ValidUntil: asOf.Add(time.Hour),
		Changes: []lookup.Change{{
			From: ownerrez.NewDate(2026, time.December, 2), To: ownerrez.NewDate(2026, time.December, 5),
			Was: "free", Now: "taken", Cause: "booking", Booking: 900101, Reason: "R&D <test>",
		}},
	}
}

// The entry names bus, source and kind, and its detail is the very text that is published elsewhere.
func TestEntry(t *testing.T) {
	p, sent := answering(t, http.StatusOK, taken)
	must(t, p.Publish(t.Context(), event(17)))
	var line bytes.Buffer
	must(t, log.New(&line).Publish(t.Context(), event(17)))
	var elsewhere struct{ Detail json.RawMessage }
	must(t, json.Unmarshal(line.Bytes(), &elsewhere))

	var request struct{ Entries []map[string]string }
	if len(*sent) != 1 {
		t.Fatalf("%d requests, want one", len(*sent))
	}
	must(t, json.Unmarshal([]byte((*sent)[0]), &request))
	if len(request.Entries) != 1 {
		t.Fatalf("%d entries, want one", len(request.Entries))
	}
	for name, want := range map[string]string{
		"EventBusName": "the-bus", "Source": "ownerrez-lambda", "DetailType": "AvailabilityChanged", "Detail": string(elsewhere.Detail),
	} {
		if got := request.Entries[0][name]; got != want {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
	if len(request.Entries[0]) != 4 {
		t.Errorf("the entry is %v", request.Entries[0])
	}
}

// An answer is a success only if it says that the event was taken. The error tells why not, and what to do.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		answer string
		says   []string
	}{
		"an entry fails": {http.StatusOK, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"Rate exceeded."}]}`,
			[]string{"ThrottlingException", "Rate exceeded."}},
		"an entry fails without a reason": {http.StatusOK, `{"FailedEntryCount":1,"Entries":[{}]}`, []string{"did not take it"}},
		"a failure that is not counted": {http.StatusOK, `{"FailedEntryCount":0,"Entries":[{"ErrorCode":"InternalFailure","EventId":"1"}]}`,
			[]string{"InternalFailure"}},
		"a failure that is counted only": {http.StatusOK, `{"FailedEntryCount":1,"Entries":[{"EventId":"1"}]}`, []string{"did not take it"}},
		"no id":                          {http.StatusOK, `{"FailedEntryCount":0,"Entries":[{}]}`, []string{"did not take it"}},
		"no entries":                     {http.StatusOK, `{"FailedEntryCount":0,"Entries":[]}`, []string{"0 events"}},
		"nothing":                        {http.StatusOK, ``, []string{"0 events"}},
		"an entry is denied": {http.StatusOK, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"AccessDeniedException","ErrorMessage":"no"}]}`,
			[]string{"AccessDeniedException", "policy of the function's role"}},
		"denied": {http.StatusBadRequest, `{"__type":"AccessDeniedException","message":"User: x is not authorized to perform: events:PutEvents on resource: y"}`,
			[]string{"events:PutEvents", "policy of the function's role"}},
		"no bus": {http.StatusBadRequest, `{"__type":"ResourceNotFoundException","message":"Event bus the-bus does not exist."}`,
			[]string{"the-bus", "EVENT_BUS_NAME"}},
	} {
		p, _ := answering(t, test.status, test.answer)
		err := p.Publish(t.Context(), event(17))
		if err == nil {
			t.Errorf("%s: Publish returned no error", name)
			continue
		}
		for _, part := range append(test.says, "event 17 of account 123456") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, which does not say %q", name, err, part)
			}
		}
		if strings.Contains(err.Error(), "://") || strings.Contains(err.Error(), "R&D") {
			t.Errorf("%s: %v, which has the URL or the event in it", name, err)
		}
	}
}

// A thousand changes fit, whatever they say. What does not fit is not sent, and the error tells where to read it.
func TestSize(t *testing.T) {
	e := event(17)
	for len(e.Changes) < 1000 {
		c := e.Changes[0]
		c.Booking, c.Was, c.Now, c.Reason = 1<<63-1, "unknown", "unknown", "a hold lapsed, OwnerRez has not been asked yet"
		e.Changes = append(e.Changes, c)
	}
	p, sent := answering(t, http.StatusOK, taken)
	must(t, p.Publish(t.Context(), e))

	e.Changes = append(e.Changes, e.Changes...)
	err := p.Publish(t.Context(), e)
	if err == nil || !strings.Contains(err.Error(), "event 17 of account 123456") || !strings.Contains(err.Error(), "/v1/changes") {
		t.Errorf("Publish of 2,000 changes: %v", err)
	}
	if len(*sent) != 1 {
		t.Errorf("%d requests, want one", len(*sent))
	}
}

// The limit counts source, detail-type and detail, in bytes.
func TestLimit(t *testing.T) {
	const limit = 255 << 10
	e := lookup.Event{Kind: lookup.AccountChanged, Version: 1, Account: 123456, Seq: 18}
	bare, err := json.Marshal(e)
	must(t, err)
	room := limit - len("ownerrez-lambda") - len(lookup.AccountChanged) - len(bare) - len(`,"reason":""`)
	p, sent := answering(t, http.StatusOK, taken)
	e.Reason = strings.Repeat("é", room/2) + strings.Repeat("<", room%2)
	must(t, p.Publish(t.Context(), e))
	e.Reason += "x"
	if err := p.Publish(t.Context(), e); err == nil || !strings.Contains(err.Error(), "261121 bytes") || len(*sent) != 1 {
		t.Errorf("Publish of one byte more: %v", err)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An attempt that gets no answer ends after some seconds and is made again; the context ends all of them.
func TestNoAnswer(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		p := eventbridge.New(awstest.WithTransport(offline(), transport(func(r *http.Request) (*http.Response, error) {
			if requests++; requests == 1 {
				return hang(r)
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(taken))}, nil
		})), "the-bus")
		began := time.Now()
		must(t, p.Publish(t.Context(), event(17)))
		if took := time.Since(began); requests != 2 || took < 5*time.Second || took > 10*time.Second {
			t.Errorf("%d requests in %s, want two, the first for 5s", requests, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := eventbridge.New(awstest.WithTransport(offline(), transport(hang)), "the-bus")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := p.Publish(ctx, event(17)); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("Publish: %v after %s, want the context's error when it ends", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := eventbridge.New(awstest.WithTransport(offline(), transport(func(*http.Request) (*http.Response, error) {
			return nil, awstest.ErrCut
		})), "the-bus")
		err := p.Publish(t.Context(), event(17))
		if !errors.Is(err, awstest.ErrCut) || strings.Contains(err.Error(), "://") {
			t.Errorf("Publish without a connection: %v", err)
		}
	})
}
