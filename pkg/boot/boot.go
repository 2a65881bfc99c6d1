// Package boot is what the Lambda functions share: they read their configuration from the environment, make what
// they need of it, and start.
//
//	stack := boot.New(os.LookupEnv)
//	store := stack.Store()
//	boot.Start(stack, func(ctx context.Context, request Request) (Answer, error) { … })
//
// What is wrong with the configuration is gathered on the way, and told by every invocation, all at once.
package boot

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/env"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/eventbridge"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/sqs"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/dynamo"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
)

// maxTime is how long a lookup may ask OwnerRez: the function's timeout is two minutes, of which the last request
// may take half a minute, and storing what was read some seconds.
const maxTime = time.Minute

// Stack makes what a function needs from its environment. It is used once, before the function starts.
type Stack struct {
	env *env.Reader
	aws aws.Config
}

// New reads the environment, which works like os.LookupEnv, and the process's own for what concerns AWS. Nothing
// is sent.
func New(variable func(string) (string, bool)) *Stack {
	s := &Stack{env: env.New(variable)}
	conf, err := config.LoadDefaultConfig(context.Background(), config.WithLogger(logging.LoggerFunc(logSDK)))
	s.env.Wrong("the configuration of AWS", err)
	s.aws = conf
	return s
}

// logSDK writes what the SDK has to say as lines like ours.
func logSDK(level logging.Classification, format string, args ...any) {
	severity := slog.LevelDebug
	if level == logging.Warn {
		severity = slog.LevelWarn
	}
	slog.Log(context.Background(), severity, "AWS SDK", "text", fmt.Sprintf(format, args...))
}

// Store is what is kept in the table that TABLE_NAME names.
func (s *Stack) Store() *store.Store {
	return store.New(dynamo.New(s.aws, s.env.Need("TABLE_NAME", "the name of the DynamoDB table")))
}

// Queue is the queue that QUEUE_URL names.
func (s *Stack) Queue() *sqs.Queue {
	address := s.env.Need("QUEUE_URL", "the URL of the SQS queue of wake-ups")
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
		s.env.Wrong("QUEUE_URL", fmt.Errorf("is no URL: it must be the one that SQS gave the queue"))
	}
	return sqs.New(s.aws, address)
}

// Publisher publishes to the bus that EVENT_BUS_NAME names.
func (s *Stack) Publisher() *eventbridge.Publisher {
	return eventbridge.New(s.aws, s.env.Need("EVENT_BUS_NAME", "the name of the EventBridge bus"))
}

// Settings are what the operator may choose.
func (s *Stack) Settings() lookup.Settings { return s.env.Settings() }

// Personal are the personal tokens in the secret that PERSONAL_TOKEN_SECRET_ARN names; st keeps the key of their
// fingerprints.
func (s *Stack) Personal(st *store.Store) *account.Personal {
	p := &account.Personal{
		Vault: secretsmanager.New(s.aws),
		Name:  s.env.Need("PERSONAL_TOKEN_SECRET_ARN", "the ARN of the secret that holds the personal token"),
		Key:   st.Key,
	}
	p.Options = []ownerrez.Option{ownerrez.WithObserver(p.ObserveRefusal)}
	return p
}

// Job is the job of looking accounts up, but for its Publisher.
func (s *Stack) Job(st *store.Store) *lookup.Job {
	where, perFive, personal := s.env.OwnerRez(), s.env.PerFive(), s.Personal(st)
	personal.Options = append(append(personal.Options, where.Options...), s.userAgent()...)
	return &lookup.Job{
		Store: st, Credentials: personal.Credentials, Reread: personal.Forget, Settings: s.Settings(),
		Window:  budget.NewWindow(st, where.Host, budget.PerFive(perFive)),
		Slots:   budget.NewSlots(st, where.Host),
		Share:   perFive / 5,
		MaxTime: maxTime,
	}
}

// ownName is by which name OwnerRez sees our requests, if OWNERREZ_APP_NAME names no other.
const ownName = "ownerrez-lambda"

func (s *Stack) appName() string { return cmp.Or(s.env.Get("OWNERREZ_APP_NAME"), ownName) }

// userAgent names the operator's app to OwnerRez, if it has a name.
func (s *Stack) userAgent() []ownerrez.Option {
	name := s.appName()
	if name == ownName {
		return nil // the client says more of itself
	}
	agent := ownerrez.WithUserAgent(name + "/1.0")
	_, err := ownerrez.New(ownerrez.PAT("somebody@example.com", "pt_x"), agent)
	s.env.Wrong("OWNERREZ_APP_NAME", err)
	return []ownerrez.Option{agent}
}

// Start runs a function until its sandbox ends. Where something is wrong with the configuration, every invocation
// fails with all of it, since that is where whoever invokes a function looks first.
func Start[In, Out any](s *Stack, handler func(context.Context, In) (Out, error)) {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	if wrong := s.env.Err(); wrong != nil {
		handler = func(ctx context.Context, _ In) (none Out, err error) {
			slog.ErrorContext(ctx, "the function is not configured", "problem", wrong.Error())
			return none, &ConfigurationError{wrong}
		}
	}
	lambda.StartHandlerFunc(handler)
}

// ConfigurationError is everything that is wrong with a function's environment. Lambda reports it under its name.
type ConfigurationError struct {
	Err error
}

// Error says what to do, and all that is wrong, a line each.
func (e *ConfigurationError) Error() string {
	return "the function is not configured; deploy the stack again, or mend its environment:\n" + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *ConfigurationError) Unwrap() error { return e.Err }
