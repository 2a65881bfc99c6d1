package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// itemFormat is the first byte of every value: the format of what follows.
const itemFormat = 1

var errItem = errors.New("an item in it is not written as this release does it")

// header is what an item has besides its key and data.
type header struct {
	version int64
	expires time.Time
}

// keyOf writes a key so that keys of one partition stand together, by the bytes of their sort keys, and
// none is a prefix of another partition's.
func keyOf(k store.Key) []byte {
	key := binary.BigEndian.AppendUint16(nil, uint16(min(len(k.Partition), 1<<16-1)))
	key = append(key, k.Partition...)
	return append(key, k.Sort...)
}

// appendItem writes the format, the version, the seconds since 1970 of the expiry (0: never), and the data.
func appendItem(dst []byte, h header, data []byte) []byte {
	var expires int64
	if !h.expires.IsZero() {
		expires = h.expires.Unix()
	}
	dst = append(dst, itemFormat)
	dst = binary.AppendUvarint(dst, uint64(h.version))
	dst = binary.AppendVarint(dst, expires)
	return append(dst, data...)
}

// parseHead splits a value. The data is the value's own: valid in its transaction only.
func parseHead(value []byte) (header, []byte, error) {
	if len(value) == 0 || value[0] != itemFormat {
		return header{}, nil, errItem
	}
	version, n := binary.Uvarint(value[1:])
	if n <= 0 {
		return header{}, nil, errItem
	}
	rest := value[1+n:]
	expires, n := binary.Varint(rest)
	if n <= 0 {
		return header{}, nil, errItem
	}
	h := header{version: int64(version)}
	if expires != 0 {
		h.expires = time.Unix(expires, 0).UTC()
	}
	return h, rest[n:], nil
}

// parseItem reads a value into an item that shares nothing with it.
func parseItem(key store.Key, value []byte) (store.Item, error) {
	h, data, err := parseHead(value)
	if err != nil {
		return store.Item{}, fmt.Errorf("%w: %s", err, key)
	}
	return store.Item{Key: key, Version: h.version, Expires: h.expires, Data: bytes.Clone(data)}, nil
}
