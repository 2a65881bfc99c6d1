// Package eventbridge publishes events on a bus of Amazon EventBridge.
package eventbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awscall"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish"
)

const (
	// maxEntry is how many bytes of source, detail-type and detail fit. EventBridge takes 1 MB now, but not
	// everywhere, and not all that rules send events to does: 256 KiB passes everywhere, and 1 KiB of it is left
	// for what EventBridge wraps around an event.
	maxEntry = 255 << 10
)

// Publisher publishes on a bus. It is safe for concurrent use.
type Publisher struct {
	client *awseventbridge.Client
	bus    string
}

var _ lookup.Publisher = (*Publisher)(nil)

// New returns a publisher on the bus with a name or an ARN. It sends nothing.
func New(conf aws.Config, bus string) *Publisher {
	client := awseventbridge.NewFromConfig(conf, func(o *awseventbridge.Options) { o.HTTPClient = awscall.Limited(o.HTTPClient) })
	return &Publisher{client: client, bus: bus}
}

// Publish puts the event on the bus; this needs the permission events:PutEvents. Once it returns nil EventBridge has
// the event, and keeps trying to deliver it for as long as its rules say, in no certain order. When an answer is lost
// the SDK sends the event again, and it comes twice. Its time on the bus is that of the call.
//
// AWS answers for a bus that does not exist as if all were well (github.com/aws/aws-cli/issues/9186), unless the
// function's role names the one bus it may publish on: then it is denied another one.
func (p *Publisher) Publish(ctx context.Context, e lookup.Event) error {
	entry, err := p.entry(e)
	if err == nil {
		err = p.put(ctx, entry)
	}
	if err != nil {
		return fmt.Errorf("publishing event %d of account %d: %w", e.Seq, e.Account, err)
	}
	return nil
}

func (p *Publisher) entry(e lookup.Event) (types.PutEventsRequestEntry, error) {
	envelope := publish.Wrap(e)
	var detail bytes.Buffer
	enc := json.NewEncoder(&detail)
	enc.SetEscapeHTML(false) // reasons are read by people
	if err := enc.Encode(envelope.Detail); err != nil {
		return types.PutEventsRequestEntry{}, err
	}
	text := string(bytes.TrimSuffix(detail.Bytes(), []byte("\n")))
	if size := len(envelope.Source) + len(envelope.DetailType) + len(text); size > maxEntry {
		return types.PutEventsRequestEntry{}, fmt.Errorf("it has %d bytes, at most %d fit, and so it keeps back the account's later events; they can be read by /v1/changes", size, maxEntry)
	}
	return types.PutEventsRequestEntry{
		EventBusName: &p.bus, Source: &envelope.Source, DetailType: &envelope.DetailType, Detail: &text,
	}, nil
}

func (p *Publisher) put(ctx context.Context, entry types.PutEventsRequestEntry) error {
	out, err := p.client.PutEvents(ctx, &awseventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry}})
	if err != nil {
		return explain(err)
	}
	if len(out.Entries) != 1 {
		return fmt.Errorf("EventBridge answered for %d events instead of one", len(out.Entries))
	}
	if result := out.Entries[0]; out.FailedEntryCount > 0 || result.ErrorCode != nil || result.EventId == nil {
		code := aws.ToString(result.ErrorCode)
		return fmt.Errorf("EventBridge did not take it: %s: %s%s", code, aws.ToString(result.ErrorMessage), advice(code))
	}
	return nil
}

// explain adds what to do about the SDK's error, and leaves the request's URL out of it.
func explain(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("EventBridge did not answer: %w", failed.Err)
	}
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Errorf("%w%s", err, advice(refused.ErrorCode()))
	}
	return err
}

// advice says what to do about an error of EventBridge's. Once that is done, what was kept back is published by the
// account's next lookup.
func advice(code string) string {
	switch code {
	case "AccessDeniedException", "NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException":
		return "; allow it in the policy of the function's role, and see that the bus's own policy does not deny it"
	case "ResourceNotFoundException":
		return "; deploy the stack again, or correct EVENT_BUS_NAME"
	}
	return ""
}
