package dynamo

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// The other attributes.
const (
	versionAttribute = "v"
	dataAttribute    = "d"
	writeAttribute   = "w"
)

// errItem is returned for an item that something else has put into the table, or changed.
var errItem = errors.New("an item in the table is not written as this release does it")

func keyOf(k store.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		PartitionKey: &types.AttributeValueMemberS{Value: k.Partition},
		SortKey:      &types.AttributeValueMemberS{Value: k.Sort},
	}
}

// itemOf returns the item that a write puts. id is the write's own.
func itemOf(w store.Write, id string) map[string]types.AttributeValue {
	item := keyOf(w.Key)
	item[versionAttribute] = number(w.If.Next())
	item[writeAttribute] = &types.AttributeValueMemberS{Value: id}
	data := w.Data
	if data == nil {
		data = []byte{} // nil would be sent as no value at all
	}
	item[dataAttribute] = &types.AttributeValueMemberB{Value: data}
	if !w.Expires.IsZero() {
		item[ExpiresAttribute] = number(w.Expires.Unix())
	}
	return item
}

// conditionOf states a condition in DynamoDB's language; nil if there is none.
func conditionOf(c store.Condition) (*string, map[string]types.AttributeValue) {
	version, always := c.Version()
	switch {
	case always:
		return nil, nil
	case version == 0:
		return aws.String("attribute_not_exists(pk)"), nil
	}
	return aws.String("v = :v"), map[string]types.AttributeValue{":v": number(version)}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func parseItem(attributes map[string]types.AttributeValue) (store.Item, error) {
	var item store.Item
	item.Key = store.Key{Partition: text(attributes[PartitionKey]), Sort: text(attributes[SortKey])}
	data, ok := attributes[dataAttribute].(*types.AttributeValueMemberB)
	if !ok {
		return store.Item{}, fmt.Errorf("%w: %s has no data", errItem, item.Key)
	}
	item.Data = data.Value
	var err error
	if item.Version, err = parseNumber(attributes[versionAttribute]); err != nil {
		return store.Item{}, fmt.Errorf("%w: the version of %s: %w", errItem, item.Key, err)
	}
	if expires, ok := attributes[ExpiresAttribute]; ok {
		seconds, err := parseNumber(expires)
		if err != nil {
			return store.Item{}, fmt.Errorf("%w: the expiry of %s: %w", errItem, item.Key, err)
		}
		item.Expires = time.Unix(seconds, 0).UTC()
	}
	return item, nil
}

// text returns the text of an attribute, or nothing.
func text(v types.AttributeValue) string {
	s, ok := v.(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
}

func parseNumber(v types.AttributeValue) (int64, error) {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, errors.New("not a number")
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0, errors.New("not a whole number")
	}
	return i, nil
}
