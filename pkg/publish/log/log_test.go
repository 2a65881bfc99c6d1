package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/log"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/publishtest"
)

// lines keeps what each Write was given.
type lines [][]byte

func (l *lines) Write(p []byte) (int, error) {
	*l = append(*l, bytes.Clone(p))
	return len(p), nil
}

func TestConformance(t *testing.T) {
	publishtest.Run(t, func(*testing.T) (lookup.Publisher, publishtest.Reader) {
		var out lines
		return log.New(&out), func(t *testing.T, n int) (all []publishtest.Published) {
			t.Helper()
			if len(out) != n {
				t.Fatalf("%d writes, want one for each of %d events", len(out), n)
			}
			for _, line := range out {
				if bytes.IndexByte(line, '\n') != len(line)-1 {
					t.Errorf("%q is not one line", line)
				}
				var p publishtest.Published
				dec := json.NewDecoder(bytes.NewReader(line))
				dec.DisallowUnknownFields()
				if err := dec.Decode(&p); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				all = append(all, p)
			}
			return all
		}
	})
}

func TestLine(t *testing.T) {
	var out bytes.Buffer
	asOf := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	err := log.New(&out).Publish(t.Context(), lookup.Event{
		Kind: lookup.AvailabilityChanged, Expires: asOf, Version: 1, Account: 123456, Seq: 17, Property: 4401,
		AsOf: asOf, ValidUntil: asOf.Add(time.Hour),
		Changes: []lookup.Change{{
			From: ownerrez.NewDate(2026, 12, 2), To: ownerrez.NewDate(2026, 12, 5),
			Was: "free", Now: "taken", Cause: "booking", Booking: 900101, Reason: "R&D <test>",
		}},
	})
	want := `{"source":"ownerrez-lambda","detail-type":"AvailabilityChanged","detail":` +
		`{"version":1,"account":123456,"seq":17,"property":4401,"as_of":"2026-11-23T20:00:00Z","valid_until":"2026-11-23T21:00:00Z",` +
		`"changes":[{"from":"2026-12-02","to":"2026-12-05","was":"free","now":"taken","cause":"booking","booking_id":900101,"reason":"R&D <test>"}]}}` + "\n"
	if err != nil || out.String() != want {
		t.Errorf("wrote\n%swant\n%s(%v)", out.String(), want, err)
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	if err := log.New(full{}).Publish(t.Context(), lookup.Event{Kind: lookup.AccountChanged}); !errors.Is(err, errFull) {
		t.Errorf("Publish: %v, want the writer's error", err)
	}
}
