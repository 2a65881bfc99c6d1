package functions_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

// BenchmarkWebhookColdStart starts the function that takes webhooks in anew for each request, and measures until it has
// answered: reading its secrets and putting a message into the queue of an AWS that awstest.EndpointVariable names. It
// tells the slowest too. As it is, it has a whole processor; to give it the share that Lambda gives 256 MB (an eighth),
// run the benchmark under a limit, as in `systemd-run --scope -p CPUQuota=14% go test …`, or in a container.
func BenchmarkWebhookColdStart(b *testing.B) {
	conf := awstest.Config(b)
	name := "cold-" + strings.ToLower(fmt.Sprint(time.Now().UnixNano()))
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
	event := fmt.Sprintf(`{"version":"2.0","rawPath":%q,"headers":{"content-type":"application/json"},"requestContext":{"http":{"method":"POST","path":%q}},
		"body":"{\"user_id\":123456,\"action\":\"entity_update\",\"entity_type\":\"booking\",\"entity_id\":900101}"}`, path, path)
	var slowest time.Duration
	for b.Loop() {
		began := time.Now()
		invoke, log := start(b, "webhook", "QUEUE_URL="+*queue.QueueUrl, "WEBHOOK_KEY_SECRET_ARN="+*secret.ARN, "OAUTH_APP_SECRET_ARN="+*secret.ARN,
			"AWS_ENDPOINT_URL="+os.Getenv(awstest.EndpointVariable), "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
		got := invoke(event)
		took := time.Since(began)
		if slowest = max(slowest, took); got.failed || !strings.Contains(got.body, fmt.Sprintf(`"statusCode":%d`, http.StatusOK)) {
			b.Fatalf("%+v\n%s", got, log)
		}
	}
	b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
}
