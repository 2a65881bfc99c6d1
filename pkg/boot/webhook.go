package boot

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/sqs"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

// webhookKey is the secret with the key of webhooks that WEBHOOK_KEY_SECRET_ARN names.
func (s *Stack) webhookKey() *account.WebhookSecrets {
	return &account.WebhookSecrets{
		Vault: secretsmanager.New(s.aws),
		Key:   s.env.Need("WEBHOOK_KEY_SECRET_ARN", "the ARN of the secret that holds the key of webhooks"),
	}
}

// Webhooks are where OwnerRez is to post what happens in accounts: below PUBLIC_URL; nil if the stack has no public
// endpoints.
func (s *Stack) Webhooks() *lookup.Webhooks {
	public := s.env.Get("PUBLIC_URL")
	if public == "" {
		return nil
	}
	return &lookup.Webhooks{Base: public + webhook.Path + "/", Key: s.webhookKey().CurrentKey}
}

// WebhookDoors take in what OwnerRez posts, and wake lanes through the queue. OwnerRez waits two seconds, so what the
// first one needs is fetched at once, while Lambda starts the function.
func (s *Stack) WebhookDoors(queue *sqs.Queue) http.Handler {
	secrets := s.webhookKey()
	secrets.App = s.env.Need("OAUTH_APP_SECRET_ARN", "the ARN of the secret that holds the OAuth app")
	s.warm(queue.Connect, func(ctx context.Context) error {
		_, err := secrets.Credentials(ctx, false)
		return err
	})
	return webhook.Handler(webhook.Options{Credentials: secrets.Credentials, Wake: lane.Sender(queue), Count: countWebhook})
}

const (
	warmTime = 5 * time.Second        // for what is done ahead
	warmWait = 250 * time.Millisecond // how long a function's start waits for it
)

// warm does ahead, side by side, what the first invocation would wait for. What takes long goes on beside that: somebody is
// waiting. What fails is done again then, and told.
func (s *Stack) warm(steps ...func(context.Context) error) {
	if s.env.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), warmTime)
	var all sync.WaitGroup
	for _, step := range steps {
		all.Go(func() { _ = step(ctx) })
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		cancel()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(warmWait):
	}
}

// countWebhook writes one line for a webhook to the log, which counts Webhooks, and RefusedWebhooks that were not let
// in or could not be taken in. It names nothing of what was posted but the account.
func countWebhook(ctx context.Context, what webhook.Outcome, id int64, err error) {
	level, refused := slog.LevelInfo, 0
	switch what {
	case webhook.Failed:
		level, refused = slog.LevelError, 1
	case webhook.Refused, webhook.Invalid:
		level, refused = slog.LevelWarn, 1
	}
	attrs := []slog.Attr{
		slog.String("outcome", string(what)), slog.Int64("account", id),
		slog.Any("_aws", embeddedMetrics(time.Now(), "Webhooks", "RefusedWebhooks")),
		slog.String("Function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")),
		slog.Int("Webhooks", 1), slog.Int("RefusedWebhooks", refused),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	slog.LogAttrs(ctx, level, "webhook", attrs...)
}
