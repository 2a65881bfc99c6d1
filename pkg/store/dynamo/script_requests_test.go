package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// TestReadsAreConsistent looks at all pages of all reads.
func TestReadsAreConsistent(t *testing.T) {
	page := `{"Items":[],"Count":0,"LastEvaluatedKey":{"pk":{"S":"P"},"sk":{"S":"a"}}}`
	table, s := scripted(t, ok(), says(200, page), says(200, page), ok())
	if _, err := table.Get(t.Context(), store.Key{Partition: "P", Sort: "S"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get: %v, want %v", err, store.ErrNotFound)
	}
	if _, err := table.Query(t.Context(), "P", store.Range{Prefix: "a", Limit: 5}); err != nil {
		t.Errorf("Query: %v", err)
	}
	if got := s.operations(); got != "GetItem Query Query Query" {
		t.Errorf("requests: %s", got)
	}
	for _, r := range s.sent {
		if r.fields["ConsistentRead"] != true {
			t.Errorf("%s: not a consistent read", r.operation)
		}
	}
}

// TestQueryReadsNoMore checks that DynamoDB is asked for a range, and not for more that would be dropped here.
func TestQueryReadsNoMore(t *testing.T) {
	for _, tt := range []struct {
		r     store.Range
		wants string
	}{
		{store.Range{}, "pk = :p map[:p:map[S:P]] from <nil> limit <nil>"},
		{store.Range{Limit: 7}, "pk = :p map[:p:map[S:P]] from <nil> limit 7"},
		{store.Range{After: "C#1"}, "pk = :p map[:p:map[S:P]] from map[pk:map[S:P] sk:map[S:C#1]] limit <nil>"},
		{store.Range{Prefix: "C#"}, "pk = :p AND begins_with(sk, :s) map[:p:map[S:P] :s:map[S:C#]] from <nil> limit <nil>"},
		{store.Range{Prefix: "C#", After: "C#1", Limit: 1}, "pk = :p AND begins_with(sk, :s) map[:p:map[S:P] :s:map[S:C#]] from map[pk:map[S:P] sk:map[S:C#1]] limit 1"},
	} {
		table, s := scripted(t, ok())
		if _, err := table.Query(t.Context(), "P", tt.r); err != nil {
			t.Fatal(err)
		}
		f := s.sent[0].fields
		got := fmt.Sprint(f["KeyConditionExpression"], " ", f["ExpressionAttributeValues"], " from ", f["ExclusiveStartKey"], " limit ", f["Limit"])
		if got != tt.wants {
			t.Errorf("%+v: asks for %s\nwant %s", tt.r, got, tt.wants)
		}
	}
}

// TestEmptyPages goes on behind pages without items, as DynamoDB may return, without a limit, too.
func TestEmptyPages(t *testing.T) {
	empty := says(200, `{"Items":[],"LastEvaluatedKey":{"pk":{"S":"P"},"sk":{"S":"a"}}}`)
	last := says(200, `{"Items":[{"pk":{"S":"P"},"sk":{"S":"b"},"v":{"N":"7"},"d":{"B":"eA=="}}]}`)
	for _, limit := range []int{-1, 0, 1, 2} {
		table, _ := scripted(t, empty, empty, last)
		items, err := table.Query(t.Context(), "P", store.Range{Limit: limit})
		if err != nil || len(items) != 1 || items[0].Version != 7 || string(items[0].Data) != "x" {
			t.Errorf("limit %d: %+v, %v", limit, items, err)
		}
	}
}

// TestForeignItems are errors, and never read as something that they are not.
func TestForeignItems(t *testing.T) {
	for _, attributes := range []string{
		``, `,"v":{"N":"1"}`, `,"d":{"B":"eA=="}`, `,"v":{"N":"1"},"d":{"S":"x"}`, `,"v":{"S":"1"},"d":{"B":"eA=="}`,
		`,"v":{"N":"1.5"},"d":{"B":"eA=="}`, `,"v":{"N":"1"},"d":{"B":"eA=="},"expires":{"S":"tomorrow"}`,
	} {
		item := `{"pk":{"S":"P"},"sk":{"S":"S"}` + attributes + `}`
		table, _ := scripted(t, says(200, `{"Item":`+item+`}`), says(200, `{"Items":[`+item+`]}`))
		if got, err := table.Get(t.Context(), store.Key{Partition: "P", Sort: "S"}); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get of %s = %+v, %v", item, got, err)
		}
		if got, err := table.Query(t.Context(), "P", store.Range{}); err == nil {
			t.Errorf("Query of %s = %+v", item, got)
		}
	}
}

// TestOwnWrite takes the item that stands in the way of a put for its own if it is.
func TestOwnWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var id any
		table, s := scripted(t,
			func(sent request) (*http.Response, error) {
				id = sent.fields["Item"].(map[string]any)["w"].(map[string]any)["S"]
				return loses()(sent)
			},
			func(sent request) (*http.Response, error) {
				if got := sent.fields["Item"].(map[string]any)["w"].(map[string]any)["S"]; got != id {
					t.Errorf("the second attempt is write %v, the first was %v", got, id)
				}
				if sent.fields["ReturnValuesOnConditionCheckFailure"] != "ALL_OLD" {
					t.Error("does not ask for the item that is there")
				}
				return says(400, `{"__type":"ConditionalCheckFailedException","Item":{"w":{"S":"`+id.(string)+`"}}}`)(sent)
			})
		if err := table.Put(t.Context(), onePut()); err != nil || len(s.sent) != 2 {
			t.Errorf("%v after %d requests", err, len(s.sent))
		}
	})
}

// TestTokens checks that all attempts of a transaction carry the same token, and no other one does.
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, s := scripted(t, loses(), cancels("TransactionConflict"), refuses("TransactionInProgressException"), ok())
		for range 2 {
			if err := table.Transact(t.Context(), twoWrites()); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.sent) != 5 {
			t.Fatalf("%d requests", len(s.sent))
		}
		first, second := s.sent[0].fields["ClientRequestToken"], s.sent[4].fields["ClientRequestToken"]
		if token, _ := first.(string); token == "" || len(token) > 36 || first == second {
			t.Errorf("tokens %v and %v", first, second)
		}
		for i, r := range s.sent[:4] {
			if r.fields["ClientRequestToken"] != first {
				t.Errorf("attempt %d has another token", i+1)
			}
		}
	})
}

// TestCheapestWrite puts a single item without a transaction where that is safe, and only there.
func TestCheapestWrite(t *testing.T) {
	key := store.Key{Partition: "P", Sort: "S"}
	for want, writes := range map[string][][]store.Write{
		"PutItem": {{onePut()}, {{Key: key, If: store.Absent()}}},
		"TransactWriteItems": {
			twoWrites(), {{Key: key, If: store.Always()}}, {{Key: key, Delete: true, If: store.AtVersion(1)}},
			{{Key: key, Delete: true, If: store.Always()}}, {{Key: key, Delete: true, If: store.Absent()}},
		},
		"": {nil},
	} {
		for _, w := range writes {
			table, s := scripted(t, ok())
			if err := table.Transact(t.Context(), w); err != nil || s.operations() != want {
				t.Errorf("%+v: %s, %v; want %s", w, s.operations(), err, want)
			}
		}
	}
}

// TestPatience measures how long a call takes at most, and how long after its context has ended.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		table, _ := scripted(t, hangs(), ok())
		if err := table.Put(t.Context(), onePut()); err != nil || time.Since(began) > 4*time.Second {
			t.Errorf("behind one dead connection: %v after %s", err, time.Since(began))
		}
		began = time.Now()
		table, s := scripted(t, hangs())
		if err := table.Put(t.Context(), onePut()); err == nil || time.Since(began) > 20*time.Second || len(s.sent) != 5 {
			t.Errorf("behind dead connections: %v after %s and %d requests", err, time.Since(began), len(s.sent))
		}
	})
}

// TestEnds ends the context of each method at each moment: while a request is under way, and between two of them.
func TestEnds(t *testing.T) {
	key := onePut().Key
	calls := map[string]func(context.Context, store.Table) error{
		"Get": func(ctx context.Context, table store.Table) error { _, err := table.Get(ctx, key); return err },
		"Query": func(ctx context.Context, table store.Table) error {
			_, err := table.Query(ctx, "P", store.Range{})
			return err
		},
		"Put":      func(ctx context.Context, table store.Table) error { return table.Put(ctx, onePut()) },
		"Transact": func(ctx context.Context, table store.Table) error { return table.Transact(ctx, twoWrites()) },
	}
	for name, call := range calls {
		for moment, answers := range map[string][]answer{"under way": {hangs()}, "between": {refuses("ThrottlingException")}} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Millisecond, cancel)
				began := time.Now()
				table, _ := scripted(t, answers...)
				err := call(ctx, table)
				if !errors.Is(err, context.Canceled) || time.Since(began) != time.Millisecond {
					t.Errorf("%s, %s: %v after %s; want %v after 1ms", name, moment, err, time.Since(began), context.Canceled)
				}
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				if err = call(ctx, table); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s, %s: %v, want %v", name, moment, err, context.DeadlineExceeded)
				}
				if strings.Contains(err.Error(), "http") {
					t.Errorf("%s: the error tells too much: %v", name, err)
				}
			})
		}
	}
}

// TestNoRequest checks what needs no request: keys that cannot be stored.
func TestNoRequest(t *testing.T) {
	table, s := scripted(t, ok())
	long := strings.Repeat("k", store.MaxKey+1)
	for _, key := range []store.Key{{Partition: "P", Sort: "\xff"}, {Partition: "\xff", Sort: "S"}, {Partition: "P", Sort: long}, {Partition: "P"}} {
		if _, err := table.Get(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get(%.10q): %v, want %v", key.Sort, err, store.ErrNotFound)
		}
	}
	for _, partition := range []string{"", "\xff", long} {
		if items, err := table.Query(t.Context(), partition, store.Range{}); err != nil || len(items) != 0 {
			t.Errorf("Query(%.10q) = %d items, %v", partition, len(items), err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := table.Get(ended, store.Key{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Get, ended before: %v, want %v", err, context.Canceled)
	}
	if _, err := table.Query(ended, "", store.Range{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Query, ended before: %v, want %v", err, context.Canceled)
	}
	if len(s.sent) > 0 {
		t.Errorf("sent %s", s.operations())
	}
}
