package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// Put implements store.Table.
func (t *Table) Put(ctx context.Context, w store.Write) error {
	return t.Transact(ctx, []store.Write{w})
}

// Transact implements store.Table.
func (t *Table) Transact(ctx context.Context, writes []store.Write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := store.Check(writes...); err != nil {
		return err
	}
	if len(writes) == 0 {
		return nil
	}
	if len(writes) == 1 && recognizable(writes[0]) {
		return t.put(ctx, writes[0])
	}
	return t.transact(ctx, writes)
}

// recognizable reports whether a write that was done can be told by its id from one that was not.
func recognizable(w store.Write) bool {
	_, always := w.If.Version()
	return !w.Delete && !always
}

func (t *Table) put(ctx context.Context, w store.Write) error {
	id := rand.Text()
	condition, values := conditionOf(w.If)
	var a attempts
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.name,
		Item:                                itemOf(w, id),
		ConditionExpression:                 condition,
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, a.watch)
	failed, isConflict := errors.AsType[*types.ConditionalCheckFailedException](err)
	_, collided := errors.AsType[*types.TransactionConflictException](err)
	switch {
	case err == nil:
		return nil
	case isConflict && text(failed.Item[writeAttribute]) == id: // an earlier attempt did it
		return nil
	case (isConflict || collided) && !a.lost:
		return fmt.Errorf("%w: %s", store.ErrConflict, w.Key)
	case isConflict:
		return fmt.Errorf("%s: an answer was lost, and another write came meanwhile: whether this one was done before it is not known", t.doing("PutItem"))
	}
	return t.failed(ctx, "PutItem", err)
}

// transact does the writes once, however often it has to ask: all attempts of the call carry the same token.
func (t *Table) transact(ctx context.Context, writes []store.Write) error {
	id := rand.Text()
	items := make([]types.TransactWriteItem, 0, len(writes))
	for _, w := range writes {
		items = append(items, t.transactItem(w, id))
	}
	var a attempts
	_, err := t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems:      items,
		ClientRequestToken: &id,
	}, a.watch)
	switch {
	case err == nil:
		return nil
	case canceledFor(err, conditionFailed):
		// Had an earlier attempt done it, its token would have told; one that is still on its way meets the same.
		return fmt.Errorf("%w: %s", store.ErrConflict, failedKey(err, writes))
	case canceledFor(err, transactionConflict) && !a.lost: // a lost attempt may still get through
		return fmt.Errorf("%w: another transaction has it at this moment", store.ErrConflict)
	}
	return t.failed(ctx, "TransactWriteItems", err)
}

// failedKey returns the key of the first write whose condition does not hold.
func failedKey(err error, writes []store.Write) store.Key {
	i := slices.IndexFunc(reasons(err), func(r types.CancellationReason) bool {
		return aws.ToString(r.Code) == conditionFailed
	})
	return writes[min(i, len(writes)-1)].Key
}

func (t *Table) transactItem(w store.Write, id string) types.TransactWriteItem {
	condition, values := conditionOf(w.If)
	if w.Delete {
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &t.name, Key: keyOf(w.Key),
			ConditionExpression: condition, ExpressionAttributeValues: values,
		}}
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &t.name, Item: itemOf(w, id),
		ConditionExpression: condition, ExpressionAttributeValues: values,
	}}
}
