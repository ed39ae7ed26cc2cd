package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// takeSlot waits until one more kernel may run and returns what gives the
// place back. Test packages are processes of their own, so the places are file
// locks: two, more on machines with more than four CPUs. There is no waiting for
// whichever of several locks is free first, so it looks again and again: who
// waited for one of them did so beside another that was free.
func takeSlot() (free func(), err error) {
	slots := max(2, runtime.NumCPU()/2)
	for {
		for i := range slots {
			free, err = lock(fmt.Sprintf("slot%d", i), unix.LOCK_NB)
			if !errors.Is(err, unix.EWOULDBLOCK) {
				return free, err
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// lock takes the named file lock among all processes of this user; how is 0 or
// LOCK_NB.
func lock(name string, how int) (unlock func(), err error) {
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, name+".lock")
	for {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := flock(f, how); err != nil {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", file, err)
		}
		// The process that had it may have removed the file: see prune.
		locked, lockedErr := f.Stat()
		if there, err := os.Stat(file); err == nil && lockedErr == nil && os.SameFile(there, locked) {
			return func() { f.Close() }, nil
		}
		f.Close()
	}
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|how)
		if err != unix.EINTR {
			return err
		}
	}
}

// cacheDir is the directory of the lab's builds: files that can be removed at any
// time.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	dir := filepath.Join(base, "ldirectord-lab")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("the lab's cache: %w", err)
	}
	return dir, nil
}
