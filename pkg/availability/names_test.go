package availability_test

import (
	"encoding/json"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

func TestNamesInJSON(t *testing.T) {
	type night struct {
		State availability.State `json:"state"`
		Cause availability.Cause `json:"cause,omitzero"`
	}
	tests := []struct {
		night night
		json  string
	}{
		{night{}, `{"state":"unknown"}`},
		{night{State: availability.Free}, `{"state":"free"}`},
		{night{availability.Taken, availability.CauseBooking}, `{"state":"taken","cause":"booking"}`},
		{night{availability.Taken, availability.CauseOwner}, `{"state":"taken","cause":"owner"}`},
		{night{availability.Taken, availability.CausePending}, `{"state":"taken","cause":"pending"}`},
		{night{availability.Taken, availability.CauseHold}, `{"state":"taken","cause":"hold"}`},
		{night{availability.Taken, availability.CauseBlock}, `{"state":"taken","cause":"block"}`},
		{night{availability.Taken, availability.CauseLinked}, `{"state":"taken","cause":"linked"}`},
		{night{availability.Taken, availability.CauseOther}, `{"state":"taken","cause":"other"}`},
	}
	for _, test := range tests {
		text, err := json.Marshal(test.night)
		if err != nil || string(text) != test.json {
			t.Errorf("marshaled %s, %v; want %s", text, err, test.json)
		}
		var got night
		if err := json.Unmarshal([]byte(test.json), &got); err != nil || got != test.night {
			t.Errorf("%s unmarshaled as %v, %v; want %v", test.json, got, err, test.night)
		}
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for _, text := range []string{"", "Free", "bookable", "free "} {
		state := availability.Taken
		if err := state.UnmarshalText([]byte(text)); err == nil || state != availability.Taken {
			t.Errorf("state %q: %v, %v", text, state, err)
		}
	}
	for _, text := range []string{"Booking", "guest", "block "} {
		cause := availability.CauseOwner
		if err := cause.UnmarshalText([]byte(text)); err == nil || cause != availability.CauseOwner {
			t.Errorf("cause %q: %v, %v", text, cause, err)
		}
	}
}

// What is none of the values is never called free, nor left without a cause.
func TestNamesOfValuesThatAreNone(t *testing.T) {
	if got := availability.State(77).String(); got != "unknown" {
		t.Errorf("state 77 is %q", got)
	}
	if got := availability.Cause(77).String(); got != "other" {
		t.Errorf("cause 77 is %q", got)
	}
}
