package boot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/boot"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// line is what a lookup's line in the log holds, with what CloudWatch reads of it.
type line struct {
	Level, Key, Kind, Status, AsOf string
	Account                        int64
	Requests, Nights               int
	TookMS                         int    `json:"took_ms"`
	LeftBy                         string `json:"left_by"`
	Problems                       []lookup.Problem
	Function                       string
	Lookups, FailedLookups         *int
	AWS                            *struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// report reports an outcome, and returns the lines that it makes in the log.
func report(t *testing.T, out lookup.Outcome) []string {
	t.Helper()
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "stack-Lookup-1")
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	defer slog.SetDefault(before)
	boot.Report(t.Context(), out, 1234*time.Millisecond)
	return strings.Split(strings.TrimSpace(logged.String()), "\n")
}

func TestReport(t *testing.T) {
	problems := []lookup.Problem{{Message: "OwnerRez has trouble answering.", Next: "Nothing to do."}}
	for _, test := range []struct {
		name    string
		out     lookup.Outcome
		level   string
		counted bool
		failed  int
	}{
		{"good", lookup.Outcome{Key: "123456", Account: 123456, Kind: "full", Status: lookup.StatusOK, Requests: 3, Nights: 7}, "INFO", true, 0},
		{"failed", lookup.Outcome{Key: "123456", Account: 123456, Kind: "full", Status: lookup.StatusOK, Requests: 3, Nights: 7, Failed: true, Problems: problems}, "WARN", true, 1},
		{"failed before it asked", lookup.Outcome{Key: "123456", Account: 123456, Kind: "none", Status: lookup.StatusOK, Requests: 3, Nights: 7, Failed: true}, "WARN", true, 1},
		{"left", lookup.Outcome{Key: "123456", Account: 123456, Kind: "leave", Status: lookup.StatusOK, Requests: 3, Nights: 7, Left: &lookup.Departure{By: lookup.ByHost}}, "INFO", false, 0},
		{"nothing to do", lookup.Outcome{Key: "123456", Account: 123456, Kind: "none", Status: lookup.StatusOK, Requests: 3, Nights: 7}, "INFO", false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := report(t, test.out)
			var got line
			if err := json.Unmarshal([]byte(lines[0]), &got); err != nil || len(lines) != 1 {
				t.Fatalf("%v: %d lines, the first %s", err, len(lines), lines[0])
			}
			if got.Level != test.level || got.Key != "123456" || got.Account != 123456 || got.Kind != test.out.Kind || got.Status != "ok" ||
				got.Requests != 3 || got.Nights != 7 || got.TookMS != 1234 || len(got.Problems) != len(test.out.Problems) {
				t.Errorf("%s", lines[0])
			}
			if by := got.LeftBy; (test.out.Left != nil) != (by == lookup.ByHost) {
				t.Errorf("left by %q: %s", by, lines[0])
			}
			if !test.counted {
				if got.AWS != nil || got.Lookups != nil || got.FailedLookups != nil {
					t.Errorf("it is counted: %s", lines[0])
				}
				return
			}
			if got.AWS == nil || len(got.AWS.CloudWatchMetrics) != 1 || *got.Lookups != 1 || *got.FailedLookups != test.failed || got.Function != "stack-Lookup-1" {
				t.Fatalf("%s", lines[0])
			}
			counts := got.AWS.CloudWatchMetrics[0]
			if age := time.Since(time.UnixMilli(got.AWS.Timestamp)); age < 0 || age > time.Minute {
				t.Errorf("the time of the metrics is %s old", age)
			}
			if counts.Namespace != "ownerrez-lambda" || len(counts.Dimensions) != 1 || len(counts.Dimensions[0]) != 1 || counts.Dimensions[0][0] != "Function" ||
				len(counts.Metrics) != 2 || counts.Metrics[0].Name != "Lookups" || counts.Metrics[1].Name != "FailedLookups" || counts.Metrics[0].Unit != "Count" {
				t.Errorf("%+v", counts)
			}
		})
	}
}

// Webhooks that have fallen silent are counted by a line of their own.
func TestReportSilence(t *testing.T) {
	lines := report(t, lookup.Outcome{Key: "123456", Account: 123456, Kind: "full", Silent: true})
	var got struct {
		Account        int64
		SilentWebhooks int
		AWS            json.RawMessage `json:"_aws"`
	}
	if len(lines) != 2 {
		t.Fatalf("%q", lines)
	}
	silent := lines[0]
	if !strings.Contains(silent, "webhooks are silent") {
		silent = lines[1]
	}
	if err := json.Unmarshal([]byte(silent), &got); err != nil || got.Account != 123456 || got.SilentWebhooks != 1 || !strings.Contains(string(got.AWS), "SilentWebhooks") {
		t.Errorf("%s, %v", silent, err)
	}
}

// What could not be published is an error of its own in the log.
func TestReportUnpublished(t *testing.T) {
	lines := report(t, lookup.Outcome{Key: "123456", Account: 123456, Kind: "full", Unpublished: errors.New("access denied")})
	if len(lines) != 2 || !strings.Contains(lines[1], `"ERROR"`) || !strings.Contains(lines[1], "access denied") || !strings.Contains(lines[1], "123456") {
		t.Errorf("%q", lines)
	}
}
