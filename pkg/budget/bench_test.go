package budget_test

import (
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

// BenchmarkTake takes permits from a window that stays nearly full, as under load.
func BenchmarkTake(b *testing.B) {
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	w := budget.NewWindow(&memory{}, "x", budget.PerFive(budget.MaxPerFive), budget.Clock(func() time.Time { return now }))
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(1100 * time.Millisecond)
		if err := w.Take(b.Context(), budget.People); err != nil {
			b.Fatal(err)
		}
	}
}
