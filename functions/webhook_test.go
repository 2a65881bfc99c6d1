package functions_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// OwnerRez waits two seconds for an answer: while Lambda starts the function, before a webhook is there, its secrets are
// read and a connection to the queue is opened.
func TestWebhookIsReadyBeforeTheFirst(t *testing.T) {
	secrets, queue := make(chan struct{}, 100), make(chan struct{}, 100)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue":
			secrets <- struct{}{}
		case r.Method == http.MethodGet:
			queue <- struct{}{}
		}
		http.Error(w, `{"__type":"ResourceNotFoundException"}`, http.StatusBadRequest)
	}))
	defer service.Close()
	start(t, "webhook", "QUEUE_URL="+service.URL+"/000000000000/wakeups.fifo", "OAUTH_APP_SECRET_ARN=app", "WEBHOOK_KEY_SECRET_ARN=key",
		"AWS_ENDPOINT_URL="+service.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	patience := time.After(20 * time.Second)
	for name, asked := range map[string]chan struct{}{"secrets": secrets, "queue": queue} {
		select {
		case <-asked:
		case <-patience:
			t.Errorf("%s: not asked for", name)
		}
	}
}
