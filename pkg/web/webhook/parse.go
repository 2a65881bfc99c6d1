package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxDepth is how deep what is posted may be nested.
const maxDepth = 32

// hook is what is kept of what was posted.
type hook struct {
	account int64
	booking int64
	revoked bool // the host no longer lets the app in, it says
	test    bool
	ignored bool // it is about nothing that has to do with a calendar
}

// parse reads what OwnerRez posts. The keys are those of OwnerRez's documents; numbers may come as text. What is wrong
// is told without what was posted.
func parse(body []byte) (hook, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // a byte order mark, as programs of .NET like to begin with
	if err := check(body); err != nil {
		return hook{}, err
	}
	var posted struct {
		UserID     number `json:"user_id"`
		Action     string `json:"action"`
		EntityType string `json:"entity_type"`
		EntityID   number `json:"entity_id"`
		Entity     entity `json:"entity"`
	}
	if err := json.Unmarshal(body, &posted); err != nil {
		return hook{}, errors.New("the body is not what OwnerRez posts: a key has a value of another kind")
	}
	h := hook{account: int64(posted.UserID), booking: int64(posted.EntityID)}
	switch plain(posted.Action) {
	case "webhooktest":
		h.test = true
	case "applicationauthorizationrevoked":
		h.revoked, h.booking = true, 0
	case "entitycreate", "entityinsert", "entityupdate", "entitydelete":
		if plain(posted.EntityType) != "booking" {
			h.ignored = true
			return h, nil
		}
		if h.booking <= 0 {
			h.booking = int64(posted.Entity)
		}
		if h.booking <= 0 {
			return hook{}, errors.New("entity_id: must be the number of a booking")
		}
	case "":
		return hook{}, errors.New("action: is missing")
	default:
		h.ignored = true
	}
	return h, nil
}

// entity is the number of the record that is posted along, 0 if there is none, or if it is of another kind than we know:
// nothing of it is needed where entity_id is there.
type entity int64

// UnmarshalJSON reads a record's number leniently.
func (e *entity) UnmarshalJSON(data []byte) error {
	var record struct {
		ID number `json:"id"`
	}
	if err := json.Unmarshal(data, &record); err == nil {
		*e = entity(record.ID)
	}
	return nil
}

// number is a whole number, which may be written as text. Anything else is 0.
type number int64

// UnmarshalJSON reads a number leniently.
func (n *number) UnmarshalJSON(data []byte) error {
	value, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err == nil {
		*n = number(value)
	}
	return nil
}

// plain makes one of EntityUpdate, as some of OwnerRez's own programs spell it, and entity_update.
func plain(text string) string { return strings.ReplaceAll(strings.ToLower(text), "_", "") }

// check refuses what is no JSON object, what is nested too deep, and keys that come twice, of which two readers may take
// another one each.
func check(body []byte) error {
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	first, err := in.Token()
	if err != nil || first != json.Delim('{') {
		return errors.New("the body is no JSON object")
	}
	if err := checkObject(in, 1); err != nil {
		return err
	}
	if _, err := in.Token(); err != io.EOF {
		return errors.New("the body holds more than one JSON object")
	}
	return nil
}

// checkObject reads the rest of an object that has begun.
func checkObject(in *json.Decoder, depth int) error {
	keys := map[string]bool{}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return errNoJSON
		}
		name := strings.ToLower(fmt.Sprint(key)) // as encoding/json takes them, in any case
		if keys[name] {
			return errors.New("the body has a key twice")
		}
		keys[name] = true
		if err := checkValue(in, depth); err != nil {
			return err
		}
	}
	return closing(in)
}

func checkValue(in *json.Decoder, depth int) error {
	token, err := in.Token()
	if err != nil {
		return errNoJSON
	}
	if (token == json.Delim('{') || token == json.Delim('[')) && depth >= maxDepth {
		return errors.New("the body is nested too deep")
	}
	switch token {
	case json.Delim('{'):
		return checkObject(in, depth+1)
	case json.Delim('['):
		for in.More() {
			if err := checkValue(in, depth+1); err != nil {
				return err
			}
		}
		return closing(in)
	}
	return nil
}

func closing(in *json.Decoder) error {
	if _, err := in.Token(); err != nil {
		return errNoJSON
	}
	return nil
}

var errNoJSON = errors.New("the body is no JSON, or ends early")
