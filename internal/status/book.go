package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"ldirectord/internal/director"
)

// A book is the file in which the overrides are kept, so that they outlive the
// daemon. It is replaced as a whole: whenever the daemon is killed, the file is
// the old one or the new one.
type book struct {
	path string // "" keeps nothing

	mu sync.Mutex // orders are written down in the order in which they were obeyed
}

// ReadOverrides is the overrides that were written to a file, none if there is
// no file.
func ReadOverrides(path string) ([]director.Override, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []director.Override
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// write obeys and writes down what is in force then. unsaved is why it could
// not be written.
func (b *book) write(obey func() ([]director.Override, error)) (unsaved, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, err := obey()
	if err != nil || b.path == "" {
		return nil, err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err, nil
	}
	return replace(b.path, append(text, '\n')), nil
}

// replace writes a file that is there whole or not at all, also after a crash of
// the machine.
func replace(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
