package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Entries reads a file with a JSON list, entry by entry. It omits entries that are
// no T, or that valid refuses; bad has the reasons, in the order of the file. A
// missing file has no entries. The error means that the file is unreadable or no
// list.
func Entries[T any](path string, valid func(T) error) (good []T, bad []error, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	good, bad, err = ParseEntries(text, valid)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return good, bad, nil
}

// ParseEntries is Entries for the text of a file.
func ParseEntries[T any](text []byte, valid func(T) error) (good []T, bad []error, err error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, nil, err
	}
	for i, entry := range list {
		var v T
		err := json.Unmarshal(entry, &v)
		if err == nil {
			err = valid(v)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("entry %d: %w", i+1, err))
			continue
		}
		good = append(good, v)
	}
	return good, bad, nil
}

// KeepAside copies a damaged file to PATH.bad, before the next Write replaces it.
func KeepAside(path string) (kept string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	kept = path + ".bad"
	return kept, Write(kept, text)
}
