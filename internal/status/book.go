package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"ldirectord/internal/director"
	"ldirectord/internal/state"
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
	return state.Write(b.path, append(text, '\n')), nil
}
