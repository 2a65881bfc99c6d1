package dynamo_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// errOpen stands for any error that leaves it open whether something was written.
var errOpen = errors.New("an error that is none of package store's")

// TestPutErrors tells what becomes of a put on condition, for what DynamoDB answers.
func TestPutErrors(t *testing.T) {
	conflict := refuses("ConditionalCheckFailedException")
	for name, tt := range map[string]struct {
		answers []answer
		want    error
		sent    int
	}{
		"done":                            {[]answer{ok()}, nil, 1},
		"conflict":                        {[]answer{conflict}, store.ErrConflict, 1},
		"conflict after a lost answer":    {[]answer{loses(), conflict}, errOpen, 2},
		"conflict after half an answer":   {[]answer{breaksOff(), conflict}, errOpen, 2},
		"conflict after an inner error":   {[]answer{fails(500, "InternalServerError", ""), conflict}, errOpen, 2},
		"conflict after throttling":       {[]answer{refuses("ThrottlingException"), conflict}, store.ErrConflict, 2},
		"conflict after no answer":        {[]answer{hangs(), conflict}, errOpen, 2},
		"lost answers":                    {[]answer{loses()}, errOpen, 5},
		"no answers":                      {[]answer{hangs()}, errOpen, 5},
		"throttling":                      {[]answer{refuses("ProvisionedThroughputExceededException")}, errOpen, 5},
		"throttling for a while":          {[]answer{refuses("ThrottlingException"), refuses("ThrottlingException"), ok()}, nil, 3},
		"a transaction has it":            {[]answer{refuses("TransactionConflictException")}, store.ErrConflict, 5},
		"a transaction had it":            {[]answer{refuses("TransactionConflictException"), ok()}, nil, 2},
		"a transaction, after a loss":     {[]answer{loses(), refuses("TransactionConflictException")}, errOpen, 5},
		"item too large":                  {[]answer{fails(400, "ValidationException", "Item size has exceeded the maximum allowed size")}, store.ErrTooLarge, 1},
		"invalid otherwise":               {[]answer{refuses("ValidationException")}, errOpen, 1},
		"an error that nobody knows":      {[]answer{refuses("TeapotException")}, errOpen, 1},
		"inner errors, and then all went": {[]answer{fails(503, "ServiceUnavailable", ""), loses(), ok()}, nil, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			table, s := scripted(t, tt.answers...)
			err := table.Put(t.Context(), onePut())
			wantOutcome(t, name, err, tt.want)
			if len(s.sent) != tt.sent {
				t.Errorf("%s: %d requests, want %d", name, len(s.sent), tt.sent)
			}
		})
	}
}

// TestTransactErrors does it with a transaction.
func TestTransactErrors(t *testing.T) {
	const none, failed, collided = "None", "ConditionalCheckFailed", "TransactionConflict"
	for name, tt := range map[string]struct {
		answers []answer
		want    error
		sent    int
	}{
		"done":                         {[]answer{ok()}, nil, 1},
		"conflict":                     {[]answer{cancels(none, failed)}, store.ErrConflict, 1},
		"conflict after a lost answer": {[]answer{loses(), cancels(failed, none)}, store.ErrConflict, 2},
		"conflict and collision":       {[]answer{cancels(collided, failed)}, store.ErrConflict, 1},
		"collision":                    {[]answer{cancels(none, collided)}, store.ErrConflict, 5},
		"collision for a while":        {[]answer{cancels(none, collided), cancels(collided, collided), ok()}, nil, 3},
		"collision, after a loss":      {[]answer{loses(), cancels(collided, none)}, errOpen, 5},
		"under way, after a loss":      {[]answer{loses(), refuses("TransactionInProgressException"), ok()}, nil, 3},
		"under way for too long":       {[]answer{loses(), refuses("TransactionInProgressException")}, errOpen, 5},
		"throttling":                   {[]answer{cancels("ThrottlingError", none)}, errOpen, 5},
		"throttling for a while":       {[]answer{cancels("ProvisionedThroughputExceeded", none), ok()}, nil, 2},
		"no answers":                   {[]answer{hangs()}, errOpen, 5},
		"invalid":                      {[]answer{cancels("ValidationError", none)}, errOpen, 1},
		"too large": {[]answer{says(400, `{"__type":"TransactionCanceledException","CancellationReasons":[{"Code":"ValidationError",`+
			`"Message":"Item size to update has exceeded the maximum allowed size"},{"Code":"None"}]}`)}, store.ErrTooLarge, 1},
		"all too large": {[]answer{fails(400, "ValidationException", "Transaction request exceeds the maximum size")}, store.ErrTooLarge, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			table, s := scripted(t, tt.answers...)
			err := table.Transact(t.Context(), twoWrites())
			wantOutcome(t, name, err, tt.want)
			if len(s.sent) != tt.sent {
				t.Errorf("%s: %d requests, want %d", name, len(s.sent), tt.sent)
			}
		})
	}
}

// wantOutcome checks what a write returned, and that its text tells nothing that was sent, nor where.
func wantOutcome(t *testing.T, name string, err, want error) {
	t.Helper()
	named := errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrTooLarge) || errors.Is(err, store.ErrInvalid)
	if right := errors.Is(err, want) || errors.Is(want, errOpen) && err != nil && !named; !right {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "http")) {
		t.Errorf("%s: the error tells too much: %v", name, err)
	}
}

// TestErrorsSayWhatToDo checks the errors that a person can do something about.
func TestErrorsSayWhatToDo(t *testing.T) {
	denied := "User: arn:aws:iam::000000000000:role/lookup is not authorized to perform: dynamodb:Query on resource: bookings"
	for _, tt := range []struct {
		answer answer
		want   []string
	}{
		{refuses("ResourceNotFoundException"), []string{"no such table", "us-east-1", "(request R7)"}},
		{fails(400, "AccessDeniedException", denied), []string{"policy", "role/lookup", "dynamodb:Query"}},
		{refuses("ValidationException"), []string{"keys", "pk", "sk"}},
		{refuses("ThrottlingException"), []string{"busy", "try again"}},
		{fails(500, "InternalServerError", ""), []string{"InternalServerError"}},
		{hangs(), []string{"no answer within 3s"}},
		{loses(), []string{"the line went dead"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			table, _ := scripted(t, tt.answer)
			_, err := table.Query(t.Context(), "P", store.Range{})
			if err == nil {
				t.Fatalf("no error, want one about %q", tt.want)
			}
			for _, want := range append(tt.want, "Query", "table bookings") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "http") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}
