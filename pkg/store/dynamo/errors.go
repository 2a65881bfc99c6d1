package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// Why DynamoDB cancels a transaction, for each of its writes.
const (
	conditionFailed     = "ConditionalCheckFailed"
	transactionConflict = "TransactionConflict"
	throttled           = "ThrottlingError"
	overProvisioned     = "ProvisionedThroughputExceeded"
)

// canceledFor reports whether err is a transaction's that was canceled for one of these reasons.
func canceledFor(err error, codes ...string) bool {
	for _, r := range reasons(err) {
		if slices.Contains(codes, aws.ToString(r.Code)) {
			return true
		}
	}
	return false
}

// reasons returns why a transaction was canceled, in the order of its writes; nothing if err is no such error.
func reasons(err error) []types.CancellationReason {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return nil
	}
	return canceled.CancellationReasons
}

// failed returns what a call ends with whose error has no meaning of its own for the table. It drops what the
// SDK's error tells beyond that: the URL, and messages of DynamoDB, which may quote what was sent.
func (t *Table) failed(ctx context.Context, operation string, err error) error {
	doing := t.doing(operation)
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", doing, ended)
	}
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		if sending, ok := errors.AsType[*url.Error](err); ok {
			err = sending.Err
		}
		return fmt.Errorf("%s: %w", doing, err)
	}
	if exceedsSize(answer) {
		return fmt.Errorf("%s: %w", doing, store.ErrTooLarge)
	}
	return fmt.Errorf("%s: %s%s", doing, t.explain(answer), requestID(err))
}

func (t *Table) doing(operation string) string {
	return fmt.Sprintf("DynamoDB, %s on table %s", operation, t.name)
}

// explain says what an answer of DynamoDB means, and what to do next.
func (t *Table) explain(answer smithy.APIError) string {
	code := answer.ErrorCode()
	switch code {
	case "ResourceNotFoundException":
		return fmt.Sprintf("there is no such table in region %s; check its name and the region", t.region)
	case "AccessDeniedException":
		return "not allowed; add this to the policy of who runs the program: " + answer.ErrorMessage() // names who, what and where
	case "ValidationException":
		return fmt.Sprintf("refused as invalid (%s); check that the table's keys are %s and %s, both text", code, PartitionKey, SortKey)
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		return fmt.Sprintf("too busy (%s); try again later", code)
	}
	if canceledFor(answer, throttled, overProvisioned) {
		return "too busy for the transaction; try again later"
	}
	var codes []string
	for _, r := range reasons(answer) {
		codes = append(codes, aws.ToString(r.Code))
	}
	if len(codes) > 0 {
		return fmt.Sprintf("the transaction was canceled (%s)", strings.Join(slices.Compact(codes), ", "))
	}
	return "it answered " + code
}

// exceedsSize reports whether DynamoDB found something too large. Its limits are above those of package
// store, so that this comes up only if they change.
func exceedsSize(answer smithy.APIError) bool {
	const size = "size"
	if answer.ErrorCode() == "ValidationException" && strings.Contains(answer.ErrorMessage(), size) {
		return true
	}
	return slices.ContainsFunc(reasons(answer), func(r types.CancellationReason) bool {
		return aws.ToString(r.Code) == "ValidationError" && strings.Contains(aws.ToString(r.Message), size)
	})
}

// requestID is what AWS's support asks for; empty if there was no answer.
func requestID(err error) string {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || answer.RequestID == "" {
		return ""
	}
	return fmt.Sprintf(" (request %s)", answer.RequestID)
}
