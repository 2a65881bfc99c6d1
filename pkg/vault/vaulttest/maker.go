package vaulttest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// Maker is a vault that makes secrets, and what its tests need beside it.
type Maker struct {
	Maker vault.Maker
	// Name returns a name that no secret had before.
	Name func(t *testing.T) string
	// Empty makes a secret without a value, of a name that none has.
	Empty func(t *testing.T, name string)
	// Restores says that a deleted secret can be restored; else it is gone at once.
	Restores bool
}

// TestMaker checks the engine that open returns, in subtests of t, beside what Run checks. It is called once for each
// of them, and may return the same one each time.
func TestMaker(t *testing.T, open func(t *testing.T) Maker) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Maker)
	}{
		{"create", testCreate},
		{"create with any bytes", testCreateBytes},
		{"create with a value no engine takes", testCreateInvalid},
		{"a name is taken", testCreateTaken},
		{"one of many creates a secret", testCreateRace},
		{"delete", testDelete},
		{"delete nothing", testDeleteNothing},
		{"create what was deleted", testCreateDeleted},
		{"restore", testRestore},
		{"restore nothing", testRestoreNothing},
		{"many delete and many restore", testDeleteRace},
		{"makers' ended context", testMakerContext},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := open(t)
			m.Maker = makerWatch{watch{t, m.Maker}, m.Maker}
			test.run(t, m)
		})
	}
}

func (m Maker) mustCreate(t *testing.T, value []byte) (name, version string) {
	t.Helper()
	name = m.Name(t)
	version, err := m.Maker.Create(t.Context(), name, value)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	if version == "" {
		t.Fatal("Create returned no version")
	}
	return name, version
}

func (m Maker) mustDelete(t *testing.T, name string) {
	t.Helper()
	if err := m.Maker.Delete(t.Context(), name); err != nil {
		t.Fatalf("Delete: %v", err)
	}
}

// wantGone checks that a secret that was deleted cannot be used.
func (m Maker) wantGone(t *testing.T, name, version string) {
	t.Helper()
	_, get := m.Maker.Get(t.Context(), name)
	_, replace := m.Maker.Replace(t.Context(), name, version, newValue())
	_, first := m.Maker.Replace(t.Context(), name, "", newValue())
	_, adopt := m.Maker.Adopt(t.Context(), name, version)
	for what, err := range map[string]error{"Get": get, "Replace": replace, "Replace of no version": first, "Adopt": adopt} {
		wantError(t, what+" of what was deleted", err, vault.ErrNotFound)
		if errors.Is(err, vault.ErrDeleted) != m.Restores {
			t.Errorf("%s of what was deleted: %v; whether it can be restored is %t", what, err, m.Restores)
		}
	}
}

// wantMissing checks that there is no secret of a name, nor a deleted one.
func (m Maker) wantMissing(t *testing.T, name string) {
	t.Helper()
	_, err := m.Maker.Get(t.Context(), name)
	if !errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrDeleted) {
		t.Errorf("Get of what is not there: %v, want %v", err, vault.ErrNotFound)
	}
}

func testCreate(t *testing.T, m Maker) {
	m.wantMissing(t, m.Name(t))
	value, other := newValue(), newValue()
	name, first := m.mustCreate(t, value)
	another, version := m.mustCreate(t, other)
	wantCurrent(t, m.Maker, name, first, value)
	wantCurrent(t, m.Maker, another, version, other)
	wantNothingWaits(t, m.Maker, name, first)
	value = newValue()
	second := mustReplace(t, m.Maker, name, first, value)
	wantCurrent(t, m.Maker, name, second, value)
	wantCurrent(t, m.Maker, another, version, other)
}

func testCreateBytes(t *testing.T, m Maker) {
	for what, value := range values() {
		name, version := m.mustCreate(t, value)
		t.Log(what)
		wantCurrent(t, m.Maker, name, version, value)
	}
}

func testCreateInvalid(t *testing.T, m Maker) {
	name := m.Name(t)
	for what, bad := range invalid() {
		_, err := m.Maker.Create(t.Context(), name, bad)
		wantError(t, "Create with "+what, err, vault.ErrInvalid)
		m.wantMissing(t, name)
	}
	if _, err := m.Maker.Create(t.Context(), name, newValue()); err != nil {
		t.Errorf("Create afterwards: %v", err)
	}
}

func testCreateTaken(t *testing.T, m Maker) {
	value := newValue()
	name, version := m.mustCreate(t, value)
	empty := m.Name(t)
	m.Empty(t, empty)
	for what, again := range map[string][]byte{"the same value": value, "another value": newValue()} {
		for _, taken := range []string{name, empty} {
			made, err := m.Maker.Create(t.Context(), taken, again)
			wantError(t, "Create once more with "+what, err, vault.ErrConflict)
			if errors.Is(err, vault.ErrNotFound) || made != "" {
				t.Errorf("Create once more returned version %q, error %v", made, err)
			}
		}
		wantCurrent(t, m.Maker, name, version, value)
		m.wantMissing(t, empty)
	}
}

func testDelete(t *testing.T, m Maker) {
	value := newValue()
	other, version := m.mustCreate(t, value)
	name, old := m.mustCreate(t, newValue())
	current := mustReplace(t, m.Maker, name, old, newValue())
	for range 3 {
		m.mustDelete(t, name)
		m.wantGone(t, name, current)
	}
	wantCurrent(t, m.Maker, other, version, value)
}

func testDeleteNothing(t *testing.T, m Maker) {
	name := m.Name(t)
	m.mustDelete(t, name)
	m.wantMissing(t, name)
	value := newValue()
	version, err := m.Maker.Create(t.Context(), name, value)
	if err != nil {
		t.Fatalf("Create of what was deleted when it was not there: %v", err)
	}
	wantCurrent(t, m.Maker, name, version, value)
	empty := m.Name(t)
	m.Empty(t, empty)
	m.mustDelete(t, empty)
	_, err = m.Maker.Get(t.Context(), empty)
	wantError(t, "Get of a deleted secret without a value", err, vault.ErrNotFound)
}

func testCreateDeleted(t *testing.T, m Maker) {
	first := newValue()
	name, version := m.mustCreate(t, first)
	m.mustDelete(t, name)
	for _, value := range [][]byte{first, newValue()} { // as one that asked again, and as another one
		made, err := m.Maker.Create(t.Context(), name, value)
		if m.Restores {
			wantError(t, "Create of what was deleted", err, vault.ErrDeleted)
			if errors.Is(err, vault.ErrConflict) || made != "" {
				t.Errorf("Create of what was deleted returned version %q, error %v", made, err)
			}
			m.wantGone(t, name, version)
			continue
		}
		if err != nil || made == version {
			t.Fatalf("Create of what was deleted: version %q, error %v", made, err)
		}
		wantCurrent(t, m.Maker, name, made, value)
		m.mustDelete(t, name)
	}
}

func testRestore(t *testing.T, m Maker) {
	value := newValue()
	name, old := m.mustCreate(t, newValue())
	version := mustReplace(t, m.Maker, name, old, value)
	for range 2 {
		if err := m.Maker.Restore(t.Context(), name); err != nil {
			t.Errorf("Restore of what is not deleted: %v", err)
		}
		wantCurrent(t, m.Maker, name, version, value)
	}
	for range 2 {
		m.mustDelete(t, name)
		err := m.Maker.Restore(t.Context(), name)
		if !m.Restores {
			wantError(t, "Restore of what is gone", err, vault.ErrNotFound)
			m.wantMissing(t, name)
			continue
		}
		if err != nil {
			t.Fatalf("Restore: %v", err)
		}
		wantCurrent(t, m.Maker, name, version, value)
		wantNothingWaits(t, m.Maker, name, version)
		_, err = m.Maker.Create(t.Context(), name, value)
		wantError(t, "Create of what was restored", err, vault.ErrConflict)
		_, err = m.Maker.Replace(t.Context(), name, old, newValue())
		wantError(t, "Replace of an old version of what was restored", err, vault.ErrConflict)
		value = newValue()
		old, version = version, mustReplace(t, m.Maker, name, version, value)
	}
}

func testRestoreNothing(t *testing.T, m Maker) {
	m.mustCreate(t, newValue()) // another one
	name := m.Name(t)
	err := m.Maker.Restore(t.Context(), name)
	if !errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrDeleted) {
		t.Errorf("Restore of what is not there: %v, want %v", err, vault.ErrNotFound)
	}
	m.wantMissing(t, name)
	m.Empty(t, name)
	if err = m.Maker.Restore(t.Context(), name); err != nil {
		t.Errorf("Restore of a secret without a value: %v", err)
	}
}

func testMakerContext(t *testing.T, m Maker) {
	value := newValue()
	name, version := m.mustCreate(t, value)
	deleted, _ := m.mustCreate(t, newValue())
	m.mustDelete(t, deleted)
	missing := "missing-" + rand.Text()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: context.DeadlineExceeded} {
		for what, bytes := range map[string][]byte{"a value": newValue(), "an empty value": {}} {
			_, err := m.Maker.Create(ctx, missing, bytes)
			wantError(t, "Create with "+what, err, want)
		}
		for _, any := range []string{name, missing} {
			wantError(t, "Delete", m.Maker.Delete(ctx, any), want)
		}
		for _, any := range []string{name, deleted, missing} {
			wantError(t, "Restore", m.Maker.Restore(ctx, any), want)
		}
	}
	m.wantMissing(t, missing)
	m.wantGone(t, deleted, "")
	wantCurrent(t, m.Maker, name, version, value)
}
