// Package availability turns the bookings, blocks and holds of OwnerRez into calendars that never call a
// night free without knowing it. It is pure: no network, no storage, no clock.
//
// A property's [Record] holds its stays. [Read] says what a row of OwnerRez means for it, and the record's
// methods keep it in order:
//
//	reading := availability.Read(booking)
//	switch {
//	case reading.Why != "":
//		record.AddDoubt(reading.Doubt(window)) // unreadable: its nights are unknown
//	case reading.Occupies:
//		record.Put(reading.Stay)
//	default:
//		record.Remove(reading.Booking) // canceled: it occupies nothing
//	}
//
// From a record two calendars are made. [Record.Stored] is what OwnerRez said last, whatever time it is now:
// [Diff] compares two of them and lists the changes that are published. [Record.Show] is what a person may
// be shown now: it also knows how old the record is, which holds have lapsed, and which nights are looked up.
//
// A night is the date on which it begins where the property stands, so time zones and clock changes play no
// part here. Free means that no stay occupies the night, not that it can be booked.
//
// Nothing here is safe for concurrent use while a record is being changed; reading one from several
// goroutines is.
package availability
