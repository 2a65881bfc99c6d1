package cli

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// Whatever OwnerRez answers, the person reads what to do, and no taken night is called free.
func TestLookupTrouble(t *testing.T) {
	t.Parallel()
	always := func(do ownerreztest.Action) func(*world) {
		return func(w *world) { w.Fault(ownerreztest.Fault{Times: -1, Do: do}) }
	}
	for _, test := range []struct {
		name  string
		cause func(*world)
		says  string
	}{
		{"401", func(w *world) { w.env["OWNERREZ_TOKEN"] = "pt_wrong" }, "does not accept the token"},
		{"ip_blocked", always(ownerreztest.JSON(403, `{"code":"ip_blocked","messages":["No."],"status_code":403}`)), "this address"},
		{"403 of the edge", always(ownerreztest.HTML(403)), "refuses access"},
		{"404", always(ownerreztest.Status(404)), "OwnerRez"},
		{"HTML", always(ownerreztest.HTML(200)), "not what its API documents"},
	} {
		for _, data := range []string{"", "kept.db"} {
			t.Run(strings.TrimSpace(test.name+" "+data), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				test.cause(w)
				args := append([]string{"lookup", "--json", "--property", "4401"}, w.dates()...)
				if data != "" {
					args = append(args, "--data", w.file(data))
				}
				r := w.run(t, args...)
				r.want(t, 1, test.says)
				doc := r.document(t)
				if doc.Complete || len(doc.Problems) == 0 || doc.Properties[0].Free != nil || !doc.Properties[0].AsOf.IsZero() {
					t.Errorf("%+v", doc)
				}
				w.neverFalse(t, doc)
			})
		}
	}
}

func TestLookupWithoutNetwork(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	at := "http://" + closed.Addr().String()
	w := newWorld(t).with("OWNERREZ_API_URL", at, "OWNERREZ_APP_URL", at)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := w.runCtx(ctx, t, append([]string{"lookup", "--json"}, w.dates()...)...)
	r.want(t, 1, "could not be reached")
	if doc := r.document(t); doc.Complete || doc.Account != 0 {
		t.Errorf("%+v", doc)
	}
}

func TestLookupDataFileInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.file("kept.db")
	db, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, command := range [][]string{
		append([]string{"lookup"}, w.dates()...), {"serve", "--addr", "127.0.0.1:0"}, {"accounts", "list"}, {"accounts", "purge", "--yes"},
	} {
		began := time.Now()
		r := w.run(t, append(command, "--data", path)...)
		r.want(t, 1, path)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %s", command[0], took)
		}
	}
	if w.Count() > 0 {
		t.Errorf("%d requests were sent", w.Count())
	}
}

func TestLookupInterrupted(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "kept.db"} {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			args := append([]string{"lookup", "--json"}, w.dates()...)
			if data != "" {
				args = append(args, "--data", w.file(data))
				w.run(t, args...).want(t, 0)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			interrupted := make(chan time.Time, 1)
			w.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Do: ownerreztest.Before(func() {
				time.AfterFunc(100*time.Millisecond, func() { interrupted <- time.Now(); cancel() })
			})})
			w.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.Hang()})
			r := w.runCtx(ctx, t, args...)
			select {
			case at := <-interrupted:
				if took := time.Since(at); took > time.Second {
					t.Errorf("it took %s to end", took)
				}
			default:
				t.Error("it ended before it was interrupted")
			}
			r.want(t, 1, "interrupted")
			doc := r.document(t)
			w.neverFalse(t, doc)
			if doc.Complete || doc.Account != 123456 {
				t.Errorf("%+v", doc)
			}
			if data != "" {
				w.truth(t, doc)
			}
		})
	}
}
