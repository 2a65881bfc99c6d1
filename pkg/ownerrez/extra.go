package ownerrez

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Rows of the API are read leniently. A row is a struct whose fields carry json tags, with a field
//
//	Extra map[string]json.RawMessage `json:"-"`
//
// which takes what no field takes: unknown keys, and known ones whose value is of another JSON type than
// documented. One strange value never costs the row, and nothing that the API said is lost. A row that is no
// object at all is the zero row.

// rowFields says where the keys of a row belong. It is made once per type and never changed.
type rowFields struct {
	byKey map[string]int // into ordered
	order []rowField     // as declared
	extra int            // the index of Extra
}

type rowField struct {
	key      string
	index    int
	set      setter
	nullable bool // null is not the same as absent
}

// fieldsByType caches a *rowFields for each reflect.Type of a row.
var fieldsByType sync.Map

func fieldsOf(t reflect.Type) *rowFields {
	if known, ok := fieldsByType.Load(t); ok {
		return known.(*rowFields)
	}
	known, _ := fieldsByType.LoadOrStore(t, newRowFields(t))
	return known.(*rowFields)
}

func newRowFields(t reflect.Type) *rowFields {
	f := &rowFields{byKey: make(map[string]int, t.NumField())}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Name == "Extra" {
			f.extra = i
			continue
		}
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		f.byKey[key] = len(f.order)
		nullable := field.Type == reflect.TypeFor[Opt[bool]]()
		f.order = append(f.order, rowField{key, i, setterOf(field.Type), nullable})
	}
	return f
}

// isRow reports whether t is a struct with a field Extra.
func isRow(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	_, ok := t.FieldByName("Extra")
	return ok
}

// decode fills row, which is zero, from data.
func (f *rowFields) decode(row reflect.Value, data []byte) {
	var extra map[string]json.RawMessage
	for key, value := range members(data) {
		if i, ok := f.byKey[string(key)]; ok {
			field := &f.order[i]
			target := row.Field(field.index)
			if (isNull(value) && !field.nullable) || field.set(target, value) {
				continue
			}
			target.SetZero()
		}
		if extra == nil {
			extra = make(map[string]json.RawMessage)
		}
		extra[string(key)] = bytes.Clone(value)
	}
	if extra != nil {
		row.Field(f.extra).Set(reflect.ValueOf(extra))
	}
}

// encode writes the fields that are not zero, and then Extra, by key. Where both have a key, the field counts.
func (f *rowFields) encode(row reflect.Value) ([]byte, error) {
	var b bytes.Buffer
	extra := maps.Clone(row.Field(f.extra).Interface().(map[string]json.RawMessage))
	for _, field := range f.order {
		if value := row.Field(field.index); !value.IsZero() {
			delete(extra, field.key)
			if err := writeMember(&b, field.key, value.Interface()); err != nil {
				return nil, err
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		if err := writeMember(&b, key, extra[key]); err != nil {
			return nil, err
		}
	}
	return append(append([]byte{'{'}, b.Bytes()...), '}'), nil
}

func writeMember(b *bytes.Buffer, key string, value any) error {
	name, err := json.Marshal(key)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if b.Len() > 0 {
		b.WriteByte(',')
	}
	b.Write(name)
	b.WriteByte(':')
	b.Write(text)
	return nil
}

// unmarshalRow is the UnmarshalJSON of all rows.
func unmarshalRow[T any](row *T, data []byte) error {
	if !json.Valid(data) {
		return json.Unmarshal(data, new(any)) // for its error
	}
	*row = decodeRow[T](data)
	return nil
}

// decodeRow reads one row from valid JSON.
func decodeRow[T any](data []byte) T {
	var row T
	fieldsOf(reflect.TypeFor[T]()).decode(reflect.ValueOf(&row).Elem(), data)
	return row
}

// marshalRow is the MarshalJSON of all rows.
func marshalRow[T any](row T) ([]byte, error) {
	return fieldsOf(reflect.TypeFor[T]()).encode(reflect.ValueOf(row))
}
