package dynamo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// How a call is tried. A function that was frozen may find its connections dead without a word, so an answer
// is awaited for some seconds only; the largest transaction needs less than one. Waits are the SDK's, with
// jitter: from 25 ms on, and longer ones where DynamoDB is too busy.
const (
	attemptTimeout = 3 * time.Second
	maxAttempts    = 5
	firstWait      = 25 * time.Millisecond
	longestWait    = 2 * time.Second
)

// configure sets how the client tries. Whatever sends its requests stays as the configuration has it.
func configure(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts = maxAttempts
		r.BaseDelay = firstWait
		r.MaxBackoff = longestWait
		r.Retryables = append(r.Retryables, retry.IsErrorRetryableFunc(passing))
	})
}

// passing has the SDK try again, besides what it does so for itself, what came in the way of a transaction, was
// too much at that moment, or broke off in the middle of its answer.
func passing(err error) aws.Ternary {
	_, collided := errors.AsType[*types.TransactionConflictException](err)
	if collided || errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	if canceledFor(err, transactionConflict, throttled, overProvisioned) && !canceledFor(err, conditionFailed) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// errSlow is what an attempt ends with that got no answer in time.
var errSlow = slowError{}

type slowError struct{}

func (slowError) Error() string { return fmt.Sprintf("no answer within %s", attemptTimeout) }

// RetryableError has the SDK try again.
func (slowError) RetryableError() bool { return true }

// attempts watches over those that one call consists of: it limits their time, and notes what becomes of them.
type attempts struct {
	lost bool // one was not answered, or with an internal error: what it asked for may have been done, or may be yet
}

// watch is an option of a call.
func (a *attempts) watch(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(a, "Retry", middleware.After)
	})
}

// ID implements middleware.FinalizeMiddleware.
func (*attempts) ID() string { return "Attempts" }

// HandleFinalize implements middleware.FinalizeMiddleware. It is called once for each attempt.
func (a *attempts) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	timed, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	out, metadata, err := next.HandleFinalize(timed, in)
	if err == nil || refused(err) {
		return out, metadata, err
	}
	a.lost = true
	if timed.Err() != nil && ctx.Err() == nil {
		err = errSlow // what the SDK makes of it looks as if the caller had canceled it
	}
	return out, metadata, err
}

// refused reports whether DynamoDB answered that it did not do what an attempt asked for. After its internal
// errors (5xx) it may have done it.
func refused(err error) bool {
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && answer.HTTPStatusCode() == http.StatusBadRequest
}
