package ownerrez_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// printBookings is the README's example, to the letter.
func printBookings(ctx context.Context, token string) error {
	client, err := ownerrez.New(ownerrez.PAT("you@example.com", token))
	if err != nil {
		return err
	}
	for booking, err := range client.Bookings.All(ctx, ownerrez.BookingQuery{PropertyIDs: []int64{4401}}) {
		if err != nil {
			return err
		}
		fmt.Println(booking.Arrival, booking.Departure, booking.Status)
	}
	return nil
}

func TestReadmeShowsCodeThatCompiles(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "```go\n")
	code, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("the README shows no Go code")
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	indented := "\t" + strings.ReplaceAll(strings.TrimSpace(code), "\n", "\n\t")
	if !strings.Contains(string(source), indented) {
		t.Errorf("the README's code is not that of printBookings:\n%s", code)
	}
	if err := printBookings(t.Context(), "not a token"); err == nil {
		t.Error("it takes anything for a token")
	}
}
