package lookup_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// once asks for the next hundred nights of some properties.
func (h *house) once(properties ...int64) lookup.Snapshot {
	today := ownerrez.DateOf(time.Now())
	return lookup.Once(h.t.Context(), h.credential(h.server.HTTPClient(h.t)), h.job.Settings,
		lookup.Question{From: today, To: today.AddDays(100), Properties: properties, Now: time.Now()})
}

func (h *house) states(snap lookup.Snapshot, property int64) map[availability.State]int {
	today := ownerrez.DateOf(time.Now())
	states := map[availability.State]int{}
	for _, night := range snap.Show(h.job.Settings, time.Now(), property, today, today.AddDays(100)) {
		states[night.State]++
	}
	return states
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		smallWorld(h)
		snap := h.once()
		if len(snap.Records) != 3 || len(snap.Problems) != 0 || snap.Account.ID != testAccount {
			t.Errorf("%d records of account %d, problems %v", len(snap.Records), snap.Account.ID, snap.Problems)
		}
		if got := h.states(snap, 4401); got[availability.Taken] != 15 || got[availability.Free] != 85 {
			t.Errorf("property 4401: %v", got)
		}
		h.change(func() { h.server.SetPropertyActive(testAccount, 4402, false) })
		snap = h.once(4401, 4402, 999)
		if len(snap.Records) != 3 {
			t.Errorf("%d records for three properties that were asked for", len(snap.Records))
		}
		said := ""
		for _, p := range snap.Problems {
			said += p.Message
		}
		if len(snap.Problems) != 2 || !strings.Contains(said, "not active") || !strings.Contains(said, "no property 999") {
			t.Errorf("problems: %v", snap.Problems)
		}
		for _, p := range []int64{4402, 999} {
			if got := h.states(snap, p); got[availability.Unknown] != 100 {
				t.Errorf("property %d: %v", p, got)
			}
		}
	})
}

// A property that was named is read even if the list of properties lacks it, or cannot be read.
func TestOnceWithoutAListOfProperties(t *testing.T) {
	for _, fault := range []ownerreztest.Action{
		ownerreztest.DropRows(func(id int64) bool { return id == 4401 }), ownerreztest.Status(404), ownerreztest.EmptyPage(),
	} {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, ownerreztest.Quirks{})
				smallWorld(h)
				h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/properties"), Times: -1, Do: fault})
				if got := h.states(h.once(4401), 4401); got[availability.Taken] != 15 || got[availability.Free] != 85 {
					t.Errorf("property 4401: %v", got)
				}
			})
		})
	}
}

// A stored record that cannot be read is read anew from OwnerRez, at the latest when the properties are listed next.
func TestUnreadableRecord(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		wait(15 * time.Minute)
		h.lookup()
		damage := store.Write{Key: store.Key{Partition: "A#123456", Sort: "P#4401"}, Data: []byte{255, 1, 2}, If: store.Always()}
		if err := h.table.Put(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
		if got := h.states(h.snapshot(), 4401); got[availability.Unknown] != 100 {
			t.Fatalf("the damaged record is shown as %v", got)
		}
		h.heard.partial = true // the next event says that the property was unknown, as its record is
		wait(6*time.Hour + time.Minute)
		h.lookup()
		if diff := h.differences(); len(diff) > 0 {
			t.Errorf("%d nights differ: %s", len(diff), diff[0])
		}
	})
}
