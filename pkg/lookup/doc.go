// Package lookup is the job: which accounts are due, and one account's way from OwnerRez to a calendar and its
// changes.
//
//   - Job.Tick finds who is due and sends wake-ups.
//   - Job.Run looks one account up: it reads the account's row, asks OwnerRez, and commits records, row and
//     events in one transaction, on condition that no other run did meanwhile.
//   - Once looks up what one question needs, and keeps nothing.
//   - Load reads what is stored, as a Snapshot, whose Show says what may be shown at a given time.
//
// # How a calendar is read
//
// One answer of OwnerRez is a snapshot; several are not, since rows shift between pages while bookings change.
// So a full read asks in slices (properties × dates), each small enough for one answer (slice.go, fullread.go).
// Accounts that fit one answer are always read so. Larger ones begin with an increment, what changed since the
// cursor, once increments have proven themselves on the account (increment.go).
//
// # Evidence
//
// Nothing becomes free because a row did not come. A stay that a complete read lacks is asked for by its id, and
// a 404 counts only if another booking, known to be there, is found in the same run (evidence.go). What fails
// leaves everything as it was; the property's age stays behind until a later read is complete (finish.go). Nor does
// anything become free because a booking has left it, unless what else takes its nights was read no earlier (torn.go).
//
// # Where to find
//
// A 401, 403 or 429: status and due in finish.go, words in explain.go. A lapsed hold: lapse.go. What the
// parameter from filters by: fromfilter.go. A row that cannot be read: doubt in fullread.go. A property that is
// gone: properties.go. Who a credential belongs to: connect.go. Which properties a run reads, and in which order: due.go.
// How many requests and how much time it may use: limits.go. What one transaction and one event hold: batch.go.
package lookup
