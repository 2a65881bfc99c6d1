package availability_test

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func Example() {
	friday := ownerrez.NewDate(2026, time.November, 6)
	record := availability.Record{Property: 4401, Known: true}
	for _, booking := range []ownerrez.Booking{
		{ID: 900101, PropertyID: 4401, Type: ownerrez.TypeBooking, Arrival: friday, Departure: friday.AddDays(3)},
		{ID: 900102, PropertyID: 4401, Type: ownerrez.TypeBlock, Arrival: friday.AddDays(2), Departure: friday.AddDays(5)},
		{ID: 900103, PropertyID: 4401, Status: ownerrez.StatusCanceled, Arrival: friday.AddDays(5), Departure: friday.AddDays(7)},
	} {
		if reading := availability.Read(booking); reading.Occupies {
			record.Put(reading.Stay)
		}
	}
	for _, span := range record.Stored(friday, friday.AddDays(7)) {
		fmt.Println(span.From, span.To, span.State, span.Cause)
	}
	// Output:
	// 2026-11-06 2026-11-09 taken booking
	// 2026-11-09 2026-11-11 taken block
	// 2026-11-11 2026-11-13 free
}

func ExampleRecord_Show() {
	today := ownerrez.NewDate(2026, time.November, 6)
	read := time.Date(2026, time.November, 6, 12, 0, 0, 0, time.UTC)
	record := availability.Record{Property: 4401, Known: true}
	record.Put(availability.Stay{Booking: 900101, Arrival: today, Departure: today.AddDays(2), Cause: availability.CauseBooking})

	view := availability.View{
		Now:        read.Add(3 * time.Hour),
		AsOf:       read,
		StaleAfter: time.Hour,
		Window:     availability.Range{From: today.AddDays(-30), To: today.AddDays(730)},
	}
	for _, night := range record.Show(view, today.AddDays(1), today.AddDays(3)) {
		fmt.Println(night.Date, night.State, cmp.Or(night.Cause.String(), night.Reason))
	}
	// Output:
	// 2026-11-07 taken booking
	// 2026-11-08 unknown last read 3 hours ago, which is too long to call it free
}
