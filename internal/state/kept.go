package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Find returns the path of the file with an ending, such as ".overrides.json", that the
// daemons of a configuration file keep: the one that is there, under whatever name of the
// configuration file it was written, or the one that would be. earlier is the name without
// ending that an older version gave it; "" is none.
func (m Memory) Find(file, ending, earlier string) string {
	path := filepath.Join(string(m), fileName(Canonical(file))+ending)
	if there(path) {
		return path
	}
	paths, _ := filepath.Glob(filepath.Join(string(m), "*"+ending)) // the pattern is valid
	for _, other := range paths {
		if SameFile("/"+named.Replace(strings.TrimSuffix(filepath.Base(other), ending)), file) {
			return other
		}
	}
	if other := filepath.Join(string(m), earlier+ending); earlier != "" && there(other) {
		return other
	}
	return path
}

// named reverses fileName, apart from names that it has shortened.
var named = strings.NewReplacer("!", "/", "%21", "!", "%25", "%")

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Adopt renames what Find finds, and the copy beside it, to the name that a daemon started
// by file gives it: no later daemon finds it under another one, where it would come into
// force again. It is called by the daemon of the file.
func (m Memory) Adopt(file, ending, earlier string) error {
	found, path := m.Find(file, ending, earlier), filepath.Join(string(m), fileName(Canonical(file))+ending)
	if found == path {
		return nil
	}
	// The copy first: alone, it does not count.
	if err := os.Rename(CopyOf(found), CopyOf(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(found, path)
}
