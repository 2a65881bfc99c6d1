package vaulttest

import (
	"sync"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

const (
	workers = 8
	rounds  = 5
)

// outcome is how a call ended that wanted to make another version current.
type outcome struct {
	version string
	value   []byte
	err     error
}

// together runs work in as many goroutines as there are workers, and returns how each ended.
func together(work func(worker int) outcome) []outcome {
	outcomes := make([]outcome, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { outcomes[i] = work(i) })
	}
	wg.Wait()
	return outcomes
}

// wantOne checks that all who made a version current made the same one, that it is current now, and that the
// others met a conflict. It returns how many made it.
func wantOne(t *testing.T, v vault.Vault, name string, outcomes []outcome) (made int) {
	t.Helper()
	current := mustGet(t, v, name)
	for _, o := range outcomes {
		if o.err != nil {
			wantError(t, "one that did not make it", o.err, vault.ErrConflict)
			continue
		}
		made++
		if o.version != current.Version || string(o.value) != string(current.Value) {
			t.Errorf("one made %s current as version %q, and version %q is", o.value, o.version, current.Version)
		}
	}
	return made
}

func testRace(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	for range rounds {
		old := mustGet(t, e.Vault, name).Version
		outcomes := together(func(int) outcome {
			value := newValue()
			version, err := e.Vault.Replace(t.Context(), name, old, value)
			return outcome{version, value, err}
		})
		if made := wantOne(t, e.Vault, name, outcomes); made != 1 {
			t.Fatalf("%d of %d replaced one version, want 1", made, workers)
		}
	}
}

func testRaceFirst(t *testing.T, e Engine) {
	for range rounds {
		name := e.Create(t, nil)
		outcomes := together(func(int) outcome {
			value := newValue()
			version, err := e.Vault.Replace(t.Context(), name, "", value)
			return outcome{version, value, err}
		})
		if made := wantOne(t, e.Vault, name, outcomes); made != 1 {
			t.Fatalf("%d of %d wrote a first value, want 1", made, workers)
		}
	}
}

func testAdoptRace(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	for range rounds {
		old := mustGet(t, e.Vault, name).Version
		value := newValue()
		e.Interrupt(t, name, old, value)
		outcomes := together(func(int) outcome {
			secret, err := e.Vault.Adopt(t.Context(), name, old)
			return outcome{secret.Version, secret.Value, err}
		})
		if made := wantOne(t, e.Vault, name, outcomes); made == 0 {
			t.Error("nobody adopted what waits")
		}
		if current := mustGet(t, e.Vault, name); string(current.Value) != string(value) {
			t.Errorf("%s is current, %s was waiting", current.Value, value)
		}
	}
}

func testAdoptReplaceRace(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	for range rounds {
		old := mustGet(t, e.Vault, name).Version
		e.Interrupt(t, name, old, newValue())
		outcomes := together(func(worker int) outcome {
			if worker == 0 {
				value := newValue()
				version, err := e.Vault.Replace(t.Context(), name, old, value)
				return outcome{version, value, err}
			}
			secret, err := e.Vault.Adopt(t.Context(), name, old)
			return outcome{secret.Version, secret.Value, err}
		})
		if made := wantOne(t, e.Vault, name, outcomes); made == 0 {
			t.Error("nobody replaced the version")
		}
	}
}

// testCreateRace has some create one name with values of their own, then with one value.
func testCreateRace(t *testing.T, m Maker) {
	one := newValue()
	for round := range 2 * rounds {
		name := m.Name(t)
		outcomes := together(func(int) outcome {
			value := one
			if round%2 == 0 {
				value = newValue()
			}
			version, err := m.Maker.Create(t.Context(), name, value)
			return outcome{version, value, err}
		})
		if made := wantOne(t, m.Maker, name, outcomes); made != 1 {
			t.Fatalf("%d of %d created one secret, want 1", made, workers)
		}
	}
}

func testDeleteRace(t *testing.T, m Maker) {
	value := newValue()
	name, version := m.mustCreate(t, value)
	for range rounds {
		for _, o := range together(func(int) outcome { return outcome{err: m.Maker.Delete(t.Context(), name)} }) {
			if o.err != nil {
				t.Errorf("one of many Deletes: %v", o.err)
			}
		}
		m.wantGone(t, name, version)
		if !m.Restores {
			return
		}
		for _, o := range together(func(int) outcome { return outcome{err: m.Maker.Restore(t.Context(), name)} }) {
			if o.err != nil {
				t.Errorf("one of many Restores: %v", o.err)
			}
		}
		wantCurrent(t, m.Maker, name, version, value)
	}
}
