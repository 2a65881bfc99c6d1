package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// format is the number of how the file is written.
const format = 1

// document is what the file holds.
type document struct {
	Format  int              `json:"format"`
	Secrets map[string]entry `json:"secrets"` // by name
}

// entry is a secret; without a value it is empty.
type entry struct {
	Version string `json:"version,omitempty"`
	Value   []byte `json:"value,omitempty"` // in base64
}

// load reads the file, which holds nothing if it does not exist.
func (v *Vault) load() (document, error) {
	f, err := os.Open(v.path)
	if errors.Is(err, fs.ErrNotExist) {
		return document{Format: format, Secrets: map[string]entry{}}, nil
	}
	if err != nil {
		return document{}, fmt.Errorf("the secrets' file: %w: allow this user to read it, or use another file", err)
	}
	defer f.Close()
	if err = v.checkMode(f); err != nil {
		return document{}, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return document{}, fmt.Errorf("the secrets' file: %w", err)
	}
	d, err := parse(data)
	if err != nil {
		return document{}, fmt.Errorf("%s: %w: %w; it is left as it is: move it away or restore it from a backup, or use another file", v.path, ErrUnusable, err)
	}
	return d, nil
}

// checkMode refuses a file that others can read, or that is none.
func (v *Vault) checkMode(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("the secrets' file: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: %w: it is a folder or a device; use another file", v.path, ErrUnusable)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s: %w: other users of this computer can read it: run `chmod 600 %s`, and if one may have read it replace the tokens in it", v.path, ErrUnusable, v.path)
	}
	return nil
}

// parse reads what store writes. Its errors quote nothing, as it may be part of a secret.
func parse(data []byte) (document, error) {
	var d document
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	err := in.Decode(&d)
	if err == nil && d.Format != format {
		return d, fmt.Errorf("it was written by a newer release of this program (format %d), or by another program", d.Format)
	}
	if err == nil {
		_, err = in.Token()
	}
	if !errors.Is(err, io.EOF) || d.Secrets == nil {
		return d, fmt.Errorf("it is damaged (near byte %d of %d), or was not made by this program", in.InputOffset(), len(data))
	}
	for _, e := range d.Secrets {
		if (e.Version == "") != (len(e.Value) == 0) || len(e.Value) > vault.MaxValue {
			return d, errors.New("one of its secrets is damaged")
		}
	}
	return d, nil
}

// store puts a new file in the place of the old one.
func (v *Vault) store(d document) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	fresh := v.path + ".new"
	_ = os.Remove(fresh) // left behind by a process that died
	err = write(fresh, append(data, '\n'))
	if err == nil {
		err = os.Rename(fresh, v.path)
	}
	if err != nil {
		_ = os.Remove(fresh)
		return fmt.Errorf("the secrets' file: %w: make room on the disk, or allow this user to write there; the file is as it was", err)
	}
	syncFolder(filepath.Dir(v.path))
	return nil
}

// write makes a file for this user only, and returns once it is on the disk.
func write(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder puts a file's new name on the disk too. Not every system can; then its own ways have to do.
func syncFolder(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}
