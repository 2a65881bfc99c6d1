// Package dynamo keeps a store.Table in a table of Amazon DynamoDB.
//
//	attribute   type    holds
//	pk          text    the partition: the table's partition key
//	sk          text    the sort key, which DynamoDB orders by its bytes in UTF-8
//	v           number  the version
//	d           binary  the data
//	w           text    which write put the item there: see below
//	expires     number  when the item may be deleted, in seconds since 1970; absent: never. To be named in the
//	                    table's time to live
//
// The table needs these two keys, and no index. Its user needs dynamodb:GetItem, Query and PutItem, and for deletes
// DeleteItem. All reads are consistent ones.
//
// # Lost answers
//
// A request whose answer is lost is sent again, and the first one may have been done: then its condition no
// longer holds, and a write that took place looks like a conflict. As store.ErrConflict promises that nothing
// was written, each write can be recognized.
//
// A single put on condition of a version carries an id of its own, and DynamoDB shows the item that stands in
// its way: one with this id is no conflict but a success. If it is another one, the write may have been done
// and then been replaced. That is not called a conflict but an error that leaves it open. It costs half as
// much as a transaction, and is what most writes are.
//
// Everything else is a transaction, also a delete, after which no id would be left to see, and a write that
// goes without condition, which a second time could undo another's. DynamoDB knows a transaction by its token
// for ten minutes, and does it once (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
//
// What no id shows is a put that was done and whose item another one has then deleted, and made again up to the
// version that the put asks for, all between two attempts: it is done twice.
package dynamo

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// The attributes that a table's definition names: its keys, both of type S, and the one for its time to live.
const (
	PartitionKey     = "pk"
	SortKey          = "sk"
	ExpiresAttribute = "expires"
)

// Table is a store.Table in DynamoDB, which any number of processes may share. It is safe for concurrent use,
// and holds nothing in memory.
//
// A call sends a request up to five times, and waits three seconds for each answer: a deadline of its context
// should leave room for more than one. An error that is none of package store's, nor its context's, is worth
// another call unless it says what to do first.
type Table struct {
	client *dynamodb.Client
	name   string
	region string
}

var _ store.Table = (*Table)(nil)

// New returns the table of this name, in the region and with the credentials of conf. It sends nothing: that
// there is no such table is an error of the methods.
func New(conf aws.Config, table string) *Table {
	return &Table{client: dynamodb.NewFromConfig(conf, configure), name: table, region: conf.Region}
}

// Get implements store.Table.
func (t *Table) Get(ctx context.Context, key store.Key) (store.Item, error) {
	if err := ctx.Err(); err != nil {
		return store.Item{}, err
	}
	missing := fmt.Errorf("%w: %s", store.ErrNotFound, key)
	if !storable(key.Partition) || !storable(key.Sort) {
		return store.Item{}, missing
	}
	var a attempts
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            keyOf(key),
		ConsistentRead: aws.Bool(true),
	}, a.watch)
	if err != nil {
		return store.Item{}, t.failed(ctx, "GetItem", err)
	}
	if len(out.Item) == 0 {
		return store.Item{}, missing
	}
	return parseItem(out.Item)
}

// Query implements store.Table. A list that takes several requests is not of one moment.
func (t *Table) Query(ctx context.Context, partition string, r store.Range) ([]store.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, ok := t.queryInput(partition, r)
	if !ok {
		return nil, nil
	}
	var found []store.Item
	for {
		if r.Limit > 0 {
			in.Limit = aws.Int32(int32(min(r.Limit-len(found), maxPage)))
		}
		var a attempts
		out, err := t.client.Query(ctx, in, a.watch)
		if err != nil {
			return nil, t.failed(ctx, "Query", err)
		}
		if found, err = appendItems(found, out.Items, r); err != nil {
			return nil, err
		}
		if len(out.LastEvaluatedKey) == 0 || r.Limit > 0 && len(found) >= r.Limit {
			return found, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// appendItems adds those of a page that are in the range.
func appendItems(found []store.Item, page []map[string]types.AttributeValue, r store.Range) ([]store.Item, error) {
	for _, attributes := range page {
		item, err := parseItem(attributes)
		if err != nil {
			return nil, err
		}
		if inRange(item.Key.Sort, r) {
			found = append(found, item)
		}
	}
	return found, nil
}

// storable reports whether a part of a key can be in the table. DynamoDB is not asked for others: it would
// refuse them, or be asked for something else, as what is not UTF-8 cannot be sent.
func storable(part string) bool {
	return part != "" && len(part) <= store.MaxKey && utf8.ValidString(part)
}
