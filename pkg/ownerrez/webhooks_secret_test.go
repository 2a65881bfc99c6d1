package ownerrez_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestPrintedSubscriptionsHideTheirURL(t *testing.T) {
	w := bookingDates
	w.ID = 7001
	w.Extra = map[string]json.RawMessage{"url": json.RawMessage(`"` + hookURL + `"`)}
	odd := w
	odd.Type, odd.Action, odd.Category = hookURL, "see "+hookURL, hookURL
	for what, v := range map[string]any{"value": w, "pointer": &w, "odd": odd, "slice": []any{w, &w}} {
		text := fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v)
		if what != "slice" {
			text = printed(v)
		}
		hidesURL(t, what, text)
	}
	hidesURL(t, "page", fmt.Sprintf("%v %+v %#v", ownerrez.Page[ownerrez.WebhookSubscription]{Items: []ownerrez.WebhookSubscription{w}}, &ownerrez.Page[ownerrez.WebhookSubscription]{Items: []ownerrez.WebhookSubscription{w}}, []ownerrez.WebhookSubscription{w}))
	if got := w.String(); got != "ownerrez.WebhookSubscription(7001: booking entity_update dates, URL hidden)" {
		t.Error(got)
	}
	if !strings.Contains(string(encoded(t, w)), hookPath) {
		t.Error("a subscription must be storable")
	}
}

// Whatever the API says: no error, log line or observation of a creation holds the URL or its secret part.
func TestWebhookErrorsHideTheURL(t *testing.T) {
	for _, said := range []string{hookURL, hookPath, "hooks.example.com" + hookPath, "the address '" + hookURL + "' is taken", "HTTPS://hooks.example.com" + hookPath} {
		for _, template := range []string{`{"messages":[SAID],"code":SAID}`, `{"error":SAID}`, `{"message":SAID}`, `SAID`, `<html>SAID`, `{"webhook_url":SAID,"error":{"code":SAID}}`} {
			for _, status := range []int{200, 302, 400, 409, 500} {
				quoted, _ := json.Marshal(said)
				var logs bytes.Buffer
				watch := ownerrez.WithObserver(func(_ context.Context, x ownerrez.Exchange) { logs.WriteString(printed(x)) })
				c := asApp(t, serve(t, answering(status, strings.ReplaceAll(template, "SAID", string(quoted)))), watch)
				_, err := c.Create(t.Context(), bookingDates)
				if err == nil {
					t.Fatalf("%d %s is no error", status, template)
				}
				hidesURL(t, "Create", printed(err)+printed(detail(t, err).Messages)+detail(t, err).Code)
				hidesURL(t, "observer", logs.String())
			}
		}
	}
	c := asApp(t, "http://127.0.0.1:1")
	for what, err := range everyWebhookCall(t.Context(), c) {
		wantKinds(t, err, ownerrez.ErrUnreachable)
		hidesURL(t, what, printed(err))
	}
}
