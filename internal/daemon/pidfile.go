package daemon

import (
	"errors"
	"io/fs"
	"os"
)

// A pidFile is the path of the file in which a daemon leaves its process id for
// other programs. Whether it runs is told by its lock, see package state.
type pidFile string

// exists says whether there is a pid file.
func (f pidFile) exists() bool {
	_, err := os.Stat(string(f))
	return !errors.Is(err, fs.ErrNotExist)
}
