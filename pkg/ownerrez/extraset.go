package ownerrez

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"time"
)

// setter reads a JSON value into a field, or reports false if it is not of the field's kind.
type setter func(field reflect.Value, value []byte) bool

// setterOf finds the setter of a field's type, once per type.
func setterOf(t reflect.Type) setter {
	switch t {
	case reflect.TypeFor[Date]():
		return into(readDate)
	case reflect.TypeFor[time.Time]():
		return into(readTime)
	case reflect.TypeFor[Decimal]():
		return into(readDecimal)
	case reflect.TypeFor[Opt[bool]]():
		return into(readOptBool)
	case reflect.TypeFor[[]string]():
		return into(readStrings)
	case reflect.TypeFor[json.RawMessage]():
		return into(func(value []byte) (json.RawMessage, bool) { return bytes.Clone(value), true })
	}
	switch t.Kind() {
	case reflect.String:
		return setString
	case reflect.Bool:
		return setBool
	case reflect.Int, reflect.Int64:
		return setInt
	case reflect.Struct:
		return rowSetter(t)
	case reflect.Slice:
		return sliceSetter(t)
	}
	return setAny
}

// into makes a setter from a function that reads a T.
func into[T any](read func(value []byte) (T, bool)) setter {
	return func(field reflect.Value, value []byte) bool {
		v, ok := read(value)
		if ok {
			*field.Addr().Interface().(*T) = v
		}
		return ok
	}
}

func setString(field reflect.Value, value []byte) bool {
	text, ok := stringOf(value)
	field.SetString(text)
	return ok
}

func setBool(field reflect.Value, value []byte) bool {
	field.SetBool(string(value) == "true")
	return string(value) == "true" || string(value) == "false"
}

func setInt(field reflect.Value, value []byte) bool {
	n, err := strconv.ParseInt(string(value), 10, 64)
	field.SetInt(n)
	return err == nil
}

func setAny(field reflect.Value, value []byte) bool {
	return json.Unmarshal(value, field.Addr().Interface()) == nil
}

// rowSetter reads a row in a row.
func rowSetter(t reflect.Type) setter {
	if !isRow(t) {
		return setAny
	}
	fields := fieldsOf(t)
	return func(field reflect.Value, value []byte) bool {
		if value[0] == '{' {
			fields.decode(field, value)
		}
		return value[0] == '{'
	}
}

// sliceSetter reads an array, if all its elements are of the slice's kind.
func sliceSetter(t reflect.Type) setter {
	set := setterOf(t.Elem())
	return func(field reflect.Value, value []byte) bool {
		if value[0] != '[' {
			return false
		}
		slice := reflect.MakeSlice(t, 0, 4)
		for element := range elements(value) {
			slice = reflect.Append(slice, reflect.Zero(t.Elem()))
			if isNull(element) || !set(slice.Index(slice.Len()-1), element) {
				return false
			}
		}
		field.Set(slice)
		return true
	}
}

func readDate(value []byte) (Date, bool) {
	text, ok := plainString(value)
	if len(text) == 0 {
		return Date{}, ok
	}
	date, err := ParseDate(string(text))
	return date, err == nil
}

// readTime reads the API's times. One that names no zone is UTC, as the names of the fields say.
func readTime(value []byte) (time.Time, bool) {
	text, ok := plainString(value)
	if len(text) == 0 {
		return time.Time{}, ok
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			t = t.UTC()
			return t, t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}

func readDecimal(value []byte) (Decimal, bool) {
	if text, ok := plainString(value); ok {
		value = text
	}
	return parseDecimal(value)
}

func readOptBool(value []byte) (Opt[bool], bool) {
	switch string(value) {
	case "true", "false":
		return Set(value[0] == 't'), true
	case "null":
		return Null[bool](), true
	}
	return Opt[bool]{}, false
}

// readStrings reads an array of strings, and one string as an array of it.
func readStrings(value []byte) ([]string, bool) {
	if text, ok := stringOf(value); ok {
		return []string{text}, true
	}
	var texts []string
	err := json.Unmarshal(value, &texts)
	return texts, err == nil
}
