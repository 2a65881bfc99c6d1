// Package publish says what events look like outside. How they get there is up to an adapter, each in a
// package of its own; publishtest checks one.
package publish

import "github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"

// Source is the source that every event names.
const Source = "ownerrez-lambda"

// Envelope is an event as it is published, in the shape of Amazon EventBridge. Its JSON is a contract with
// whoever reads events.
type Envelope struct {
	Source     string       `json:"source"`
	DetailType string       `json:"detail-type"` // the event's Kind
	Detail     lookup.Event `json:"detail"`
}

// Wrap puts an event into its envelope.
func Wrap(e lookup.Event) Envelope { return Envelope{Source: Source, DetailType: e.Kind, Detail: e} }
