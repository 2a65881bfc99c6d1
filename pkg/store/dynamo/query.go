package dynamo

import (
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// maxPage is how many items a page is asked for at most. It ends at 1 MB anyway.
const maxPage = 1 << 20

// queryInput asks for all items of a range, and perhaps some that inRange has to drop. It reports false if
// there can be none.
func (t *Table) queryInput(partition string, r store.Range) (*dynamodb.QueryInput, bool) {
	prefix, start, ok := bounds(r)
	if !ok || !storable(partition) {
		return nil, false
	}
	in := &dynamodb.QueryInput{
		TableName:              &t.name,
		ConsistentRead:         aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p": &types.AttributeValueMemberS{Value: partition},
		},
	}
	if prefix != "" {
		in.KeyConditionExpression = aws.String("pk = :p AND begins_with(sk, :s)")
		in.ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: prefix}
	}
	if start != "" {
		in.ExclusiveStartKey = keyOf(store.Key{Partition: partition, Sort: start})
	}
	return in, true
}

// bounds returns what DynamoDB is asked for in place of a range: sort keys that begin with prefix, from the
// first one on that is larger than start. It reports false if no key is in the range.
//
// A query takes one condition on the sort key only, so that the other one is stated as a page is that goes on
// where an earlier one ended: at any key, whether there is an item or not, that meets the condition itself.
func bounds(r store.Range) (prefix, start string, ok bool) {
	if len(r.Prefix) > store.MaxKey {
		return "", "", false
	}
	prefix, start = sendable(r.Prefix), sendable(r.After)
	switch {
	case strings.HasPrefix(start, prefix):
		return prefix, start, true
	case start < prefix: // before all of them
		return prefix, "", true
	}
	return "", "", false // behind all of them
}

// sendable returns the longest beginning of s that could be a key, or nothing. A key that is larger than s is
// larger than that, too.
func sendable(s string) string {
	s = s[:min(len(s), store.MaxKey)]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// inRange reports whether a key is in a range. Those that were asked for are, but for ranges that are no text.
func inRange(sort string, r store.Range) bool {
	return sort > r.After && strings.HasPrefix(sort, r.Prefix)
}
