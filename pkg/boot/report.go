package boot

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// namespace is where CloudWatch shows the metrics.
const namespace = "ownerrez-lambda"

// Report writes one line for a lookup to the log, by slog's default logger. The line is in CloudWatch's embedded
// metric format too (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
// it counts Lookups, and FailedLookups of which nothing could be read. It names no person and no token.
func Report(ctx context.Context, out lookup.Outcome, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("key", out.Key), slog.Int64("account", out.Account), slog.String("kind", out.Kind),
		slog.String("status", string(out.Status)), slog.Int("requests", out.Requests),
		slog.Int("nights", out.Nights), slog.Int("properties", out.Properties),
		slog.Int64("took_ms", took.Milliseconds()),
	}
	if !out.AsOf.IsZero() {
		attrs = append(attrs, slog.Time("as_of", out.AsOf.UTC()))
	}
	if len(out.Problems) > 0 {
		attrs = append(attrs, slog.Any("problems", out.Problems))
	}
	if out.Left != nil { // the audit line of a departure
		attrs = append(attrs, slog.String("left_by", out.Left.By), slog.Time("asked_at", out.Left.At.UTC()))
	}
	level, failed := slog.LevelInfo, 0
	if out.Failed {
		level, failed = slog.LevelWarn, 1
	}
	if out.Silent {
		slog.LogAttrs(ctx, slog.LevelWarn, "webhooks are silent", slog.Int64("account", out.Account),
			slog.Any("_aws", embeddedMetrics(time.Now(), "SilentWebhooks")),
			slog.String("Function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")), slog.Int("SilentWebhooks", 1))
	}
	if out.Kind != "leave" && (out.Kind != "none" || out.Failed) {
		attrs = append(attrs, slog.Any("_aws", embeddedMetrics(time.Now(), "Lookups", "FailedLookups")),
			slog.String("Function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")),
			slog.Int("Lookups", 1), slog.Int("FailedLookups", failed))
	}
	slog.LogAttrs(ctx, level, "lookup", attrs...)
	if out.Unpublished != nil {
		slog.ErrorContext(ctx, "not all events were published; the next lookup goes on with them", "account", out.Account, "error", out.Unpublished.Error())
	}
}

// embeddedMetrics says which values of a line CloudWatch shall count.
func embeddedMetrics(at time.Time, names ...string) any {
	type metric struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	d := directive{Namespace: namespace, Dimensions: [][]string{{"Function"}}}
	for _, name := range names {
		d.Metrics = append(d.Metrics, metric{name, "Count"})
	}
	return struct {
		Timestamp         int64 // milliseconds since 1970
		CloudWatchMetrics []directive
	}{at.UnixMilli(), []directive{d}}
}
