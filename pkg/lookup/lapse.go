package lookup

import (
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

// askLapsedEvery and askLapsedFor say how a lapsed hold that is still there is asked for again.
const (
	askLapsedEvery = time.Hour
	askLapsedFor   = 24 * time.Hour
)

// keepLapsed notes that a lapsed hold was asked for and is still there.
func (r *run) keepLapsed(booking int64) {
	if r.row.Lapsed == nil {
		r.row.Lapsed = map[int64]Lapse{}
	}
	l := r.row.Lapsed[booking]
	if l.First.IsZero() {
		l.First = r.began()
	}
	l.Asked = r.began()
	r.row.Lapsed[booking] = l
}

// askLapsed reports whether to ask for the stay because it is a hold whose time is over: at once if the run did
// not show it, then hourly for a day, then only full reads tell.
func (r *run) askLapsed(stay availability.Stay, seen bool) bool {
	if stay.Until == 0 || stay.Until > r.now.Unix() {
		return false
	}
	if seen {
		r.keepLapsed(stay.Booking)
		return false
	}
	l, asked := r.row.Lapsed[stay.Booking]
	return !asked || (r.now.Sub(l.Asked) >= askLapsedEvery && r.now.Sub(l.First) < askLapsedFor)
}
