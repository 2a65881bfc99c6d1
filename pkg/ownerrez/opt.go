package ownerrez

import "encoding/json"

// Opt is a value that may also be null or not there at all, where OwnerRez means something different by each.
// The zero Opt is "not there": tag such fields omitzero, and they are left out of JSON.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optSet
)

// Set returns an Opt that holds v.
func Set[T any](v T) Opt[T] { return Opt[T]{value: v, state: optSet} }

// Null returns an Opt that is null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get returns the value, and whether there is one. Without one it returns T's zero value.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == optSet }

// IsNull reports whether o is null. An Opt that is not there is not null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports whether o is not there.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

// MarshalJSON writes the value, and null if there is none.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optSet {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads null or a value.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Set(v)
	return nil
}
