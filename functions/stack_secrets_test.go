package functions_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// noToken looks for all tokens that OwnerRez knew and that were ever in the secret: in whatever the functions logged,
// answered and sent, and in the table.
func (s *stack) noToken(t *testing.T) {
	for _, name := range s.functions() {
		s.logged(t, name, time.Now().Add(-time.Hour))
	}
	s.receive(t)
	for _, item := range s.items(t) {
		s.showItem(item)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen.Bytes()
	if len(seen) < 10_000 || !bytes.Contains(seen, []byte("FailedLookups")) || !bytes.Contains(seen, []byte("AvailabilityChanged")) {
		t.Errorf("only %d bytes were seen", len(seen))
	}
	tokens := append(slices.Clone(s.tokens), s.server.Secrets()...)
	for _, token := range tokens {
		for _, text := range []string{
			token, base64.StdEncoding.EncodeToString([]byte(token)),
		} {
			if i := bytes.Index(seen, []byte(text)); i >= 0 {
				t.Errorf("a token was shown: %q", seen[max(i-100, 0):min(i+100, len(seen))])
			}
		}
		for _, email := range stackEmails {
			if bytes.Contains(seen, []byte(base64.StdEncoding.EncodeToString([]byte(email+":"+token)))) {
				t.Error("an Authorization header was shown")
			}
		}
	}
	for _, email := range stackEmails {
		if i := bytes.Index(seen, []byte(email)); i >= 0 {
			t.Errorf("an e-mail was shown: %q", seen[max(i-100, 0):min(i+100, len(seen))])
		}
	}
}

// items are all items of the table.
func (s *stack) items(t *testing.T) []map[string]types.AttributeValue {
	t.Helper()
	table := s.outputs["TableName"]
	var items []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(s.dynamo, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	if len(items) == 0 {
		t.Fatal("the table is empty")
	}
	return items
}

// showItem shows all that an item holds.
func (s *stack) showItem(item map[string]types.AttributeValue) {
	for name, value := range item {
		s.show([]byte(name))
		switch v := value.(type) {
		case *types.AttributeValueMemberB:
			s.show(v.Value)
		case *types.AttributeValueMemberS:
			s.show([]byte(v.Value))
		default:
			s.show(fmt.Append(nil, v))
		}
	}
}
