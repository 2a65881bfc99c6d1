package embedded

import (
	"bytes"
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// purgeAtOnce is how many items one transaction of Purge deletes, so that other writers get their turn.
const purgeAtOnce = 500

// Purge deletes the items that expired before now, and says how many there were: a table in the cloud does
// that by itself. The file does not become smaller; its room is used again.
func (d *DB) Purge(ctx context.Context, now time.Time) (int, error) {
	var keys [][]byte
	err := d.view(ctx, func(items *bbolt.Bucket) error {
		return items.ForEach(func(k, v []byte) error {
			gone, err := expired(v, now)
			if gone {
				keys = append(keys, bytes.Clone(k))
			}
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	purged := 0
	for chunk := range slices.Chunk(keys, purgeAtOnce) {
		n := 0
		err = d.update(ctx, func(items *bbolt.Bucket) (err error) {
			n, err = purge(items, chunk, now)
			return err
		})
		if err != nil {
			return purged, err
		}
		purged += n
	}
	return purged, nil
}

// purge deletes those of the items that are still expired: one may have been written anew.
func purge(items *bbolt.Bucket, keys [][]byte, now time.Time) (int, error) {
	n := 0
	for _, k := range keys {
		v := items.Get(k)
		if v == nil {
			continue
		}
		gone, err := expired(v, now)
		if err != nil {
			return 0, err
		}
		if !gone {
			continue
		}
		if err := items.Delete(k); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func expired(value []byte, now time.Time) (bool, error) {
	h, _, err := parseHead(value)
	return !h.expires.IsZero() && h.expires.Before(now), err
}
