package sqs_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/sqs"
)

// The first message goes through the connection that Connect opened, whatever SQS answered.
func TestConnect(t *testing.T) {
	var connections, unsigned atomic.Int32
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			unsigned.Add(1)
			http.Error(w, "<ErrorResponse/>", http.StatusNotFound)
			return
		}
		var input struct{ MessageBody string }
		if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
			t.Error(err)
		}
		sum := md5.Sum([]byte(input.MessageBody))
		_, _ = fmt.Fprintf(w, `{"MessageId":"1","MD5OfMessageBody":%q}`, hex.EncodeToString(sum[:]))
	}))
	service.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	service.Start()
	defer service.Close()
	q := sqs.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &service.URL, HTTPClient: awshttp.NewBuildableClient(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, service.URL+"/000000000000/wakeups.fifo")
	if err := q.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), queue.Message{Group: "g", ID: "i", Body: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	if connections.Load() != 1 || unsigned.Load() != 1 {
		t.Errorf("%d connections, %d requests that were not signed", connections.Load(), unsigned.Load())
	}
	service.Close()
	if err := q.Connect(t.Context()); err == nil {
		t.Error("connected to nothing")
	}
}
