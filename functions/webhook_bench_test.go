package functions_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

// memory and processor are what the template gives the function, in MB, and with how much memory it would have a whole
// processor (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const memory, processor = 256, 1769

// BenchmarkWebhookColdStart starts the function that takes webhooks in anew for each request, and measures until it has
// answered: reading its secrets and putting a message into the queue of an AWS that awstest.EndpointVariable names, by
// https. It tells the slowest, and the processor's time. Once it has the machine's processors, and once as much of one as
// its memory stands for: then it is stopped for most of every 20 ms, from its very beginning, where Lambda gives more. And
// once the queue takes a second for each request.
func BenchmarkWebhookColdStart(b *testing.B) {
	event, env := webhookAndItsStack(b)
	ping := launch(b, "webhook", env(0)...) // builds it, and has the emulator make what it makes only once
	ping.invoke(event)
	ping.end()
	const share = float64(memory) / processor
	b.Run("processors=all", func(b *testing.B) { coldStarts(b, 1, event, env(0)) })
	b.Run(fmt.Sprintf("processors=%.2f", share), func(b *testing.B) { coldStarts(b, share, event, env(0)) })
	b.Run(fmt.Sprintf("processors=%.2f,queue=1s", share), func(b *testing.B) { coldStarts(b, share, event, env(time.Second)) })
}

// webhookAndItsStack makes a queue and the secrets, and returns a webhook and the function's environment, for a queue that
// takes some time for each request.
func webhookAndItsStack(b *testing.B) (event string, env func(queue time.Duration) []string) {
	conf := awstest.Config(b)
	name := "cold-" + fmt.Sprint(time.Now().UnixNano())
	queue, err := sqs.NewFromConfig(conf).CreateQueue(b.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(name + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
	if err != nil {
		b.Fatal(err)
	}
	secret, err := secretsmanager.NewFromConfig(conf).CreateSecret(b.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("key")})
	if err != nil {
		b.Fatal(err)
	}
	path := account.WebhookURL(webhook.Path+"/", []byte("key"), 123456)
	event = fmt.Sprintf(`{"version":"2.0","rawPath":%q,"headers":{"content-type":"application/json"},"requestContext":{"http":{"method":"POST","path":%q}},
		"body":"{\"user_id\":123456,\"action\":\"entity_update\",\"entity_type\":\"booking\",\"entity_id\":900101}"}`, path, path)
	prompt, authority := byTLS(b, 0)
	return event, func(takes time.Duration) []string {
		late, _ := byTLS(b, takes)
		return []string{
			"QUEUE_URL=" + *queue.QueueUrl, "WEBHOOK_KEY_SECRET_ARN=" + *secret.ARN, "OAUTH_APP_SECRET_ARN=" + *secret.ARN,
			"AWS_ENDPOINT_URL=" + prompt, "AWS_ENDPOINT_URL_SQS=" + late, "AWS_CA_BUNDLE=" + authority,
			"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		}
	}
}

// byTLS serves AWS by https, each request after some time, and returns the address and the file of who vouches for it.
func byTLS(b *testing.B, after time.Duration) (address, authority string) {
	behind, err := url.Parse(os.Getenv(awstest.EndpointVariable))
	if err != nil {
		b.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(after)
		proxy.ServeHTTP(w, r)
	}))
	b.Cleanup(front.Close)
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // of functions that were ended
	authority = filepath.Join(b.TempDir(), "authority.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		b.Fatal(err)
	}
	return front.URL, authority
}

func coldStarts(b *testing.B, share float64, event string, env []string) {
	var slowest, used time.Duration
	for b.Loop() {
		began := time.Now()
		box := launch(b, "webhook", env...)
		done := throttle(box.command.Process, share)
		got := box.invoke(event)
		slowest = max(slowest, time.Since(began))
		done()
		box.end()
		used += box.command.ProcessState.UserTime() + box.command.ProcessState.SystemTime()
		if got.failed || !strings.Contains(got.body, fmt.Sprintf(`"statusCode":%d`, http.StatusOK)) {
			b.Fatalf("%+v\n%s", got, box.log)
		}
	}
	b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
	b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "processor-ms/op")
}

// throttle lets a process run for a share of the time only, until done is called.
func throttle(process *os.Process, share float64) (done func()) {
	const period = 20 * time.Millisecond
	if share >= 1 {
		return func() {}
	}
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			_ = process.Signal(syscall.SIGCONT)
			time.Sleep(time.Duration(float64(period) * share))
			_ = process.Signal(syscall.SIGSTOP)
			select {
			case <-ended:
				return
			case <-time.After(time.Duration(float64(period) * (1 - share))):
			}
		}
	}()
	return func() { close(ended); <-stopped }
}
