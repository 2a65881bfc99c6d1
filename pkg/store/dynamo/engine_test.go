package dynamo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/dynamo"
)

// engine is the DynamoDB that the environment names, or what stands in for it, with a table of the test's own.
// Those that stand in fall short of DynamoDB here and there; what matters for a test is found by trying.
type engine struct {
	conf      aws.Config        // without faults, one request at a time
	transport http.RoundTripper // what requests go through
	name      string            // of the table
	tokens    bool              // does a transaction that is repeated only once
}

// start makes a table that is gone after the test.
func start(t *testing.T) engine {
	t.Helper()
	conf := awstest.Config(t)
	e := engine{conf: awstest.WithTransport(conf, &turns{next: http.DefaultTransport}), transport: http.DefaultTransport}
	e.name = makeTable(t, e.conf)
	if e.tokens = e.knowsTokens(t); !e.tokens {
		e.transport = &turns{next: e.transport}
	}
	return e
}

// table returns the table as it is without faults.
func (e engine) table() *dynamo.Table { return e.through(e.transport) }

// through returns the table as it is through a transport.
func (e engine) through(transport http.RoundTripper) *dynamo.Table {
	return dynamo.New(awstest.WithTransport(e.conf, transport), e.name)
}

// needTokens skips a test that an engine cannot pass which does a transaction again when it is repeated.
func (e engine) needTokens(t *testing.T) {
	t.Helper()
	if !e.tokens {
		t.Skip("this engine ignores the token of a transaction, by which DynamoDB does a repeated one only once")
	}
}

// knowsTokens repeats a transaction that cannot be done twice.
func (e engine) knowsTokens(t *testing.T) bool {
	t.Helper()
	client := dynamodb.NewFromConfig(e.conf)
	in := e.transaction("tokens", []byte("x"))
	in.TransactItems[0].Put.ConditionExpression = aws.String("attribute_not_exists(pk)")
	in.ClientRequestToken = aws.String(rand.Text())
	if _, err := client.TransactWriteItems(t.Context(), in); err != nil {
		t.Fatalf("trying the engine: %v", err)
	}
	_, err := client.TransactWriteItems(t.Context(), in)
	return err == nil
}

// takesFullTransactions reports whether the engine measures a transaction as DynamoDB does: by its items, not by
// the request, in which data is a third larger.
func (e engine) takesFullTransactions(t *testing.T) bool {
	t.Helper()
	var data [][]byte
	for range 11 {
		data = append(data, bytes.Repeat([]byte("x"), 300_000))
	}
	_, err := dynamodb.NewFromConfig(e.conf).TransactWriteItems(t.Context(), e.transaction("size", data...))
	return err == nil
}

// transaction puts items into a partition that no test uses.
func (e engine) transaction(partition string, data ...[]byte) *dynamodb.TransactWriteItemsInput {
	var in dynamodb.TransactWriteItemsInput
	for _, d := range data {
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{
			TableName: &e.name,
			Item: map[string]types.AttributeValue{
				dynamo.PartitionKey: &types.AttributeValueMemberS{Value: "ENGINE#" + partition + rand.Text()},
				dynamo.SortKey:      &types.AttributeValueMemberS{Value: "x"},
				"d":                 &types.AttributeValueMemberB{Value: d},
			},
		}})
	}
	return &in
}

// turns sends one request at a time, and waits for all of its answer, however long it takes, so that the SDK repeats
// none because the computer is busy. An engine that ignores tokens would do it again; it also lets requests that come
// together see halves of each other's transactions.
type turns struct {
	next http.RoundTripper
	mu   sync.Mutex
}

// RoundTrip implements http.RoundTripper.
func (t *turns) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	resp, err := t.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// halves is a table whose largest transactions are done in two, for an engine that does not take them.
type halves struct{ store.Table }

// Transact implements store.Table.
func (h halves) Transact(ctx context.Context, writes []store.Write) error {
	total := 0
	for _, w := range writes {
		total += len(w.Data)
	}
	if total <= 3_000_000 || store.Check(writes...) != nil {
		return h.Table.Transact(ctx, writes)
	}
	if err := h.Table.Transact(ctx, writes[:len(writes)/2]); err != nil {
		return err
	}
	return h.Table.Transact(ctx, writes[len(writes)/2:])
}

// makeTable makes a table as the stack's is, that is gone after the test, and returns its name.
func makeTable(t *testing.T, conf aws.Config) string {
	t.Helper()
	client := dynamodb.NewFromConfig(conf)
	name := "test-" + rand.Text()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(dynamo.PartitionKey), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(dynamo.SortKey), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(dynamo.PartitionKey), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(dynamo.SortKey), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatalf("making a table: %v", err)
	}
	t.Cleanup(func() {
		_, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
		if err != nil {
			t.Errorf("deleting the table: %v", err)
		}
	})
	ready := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := ready.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatalf("waiting for the table: %v", err)
	}
	return name
}
