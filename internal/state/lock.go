package state

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The endings of a daemon's files.
const (
	lockEnding   = ".lock" // also contains the heartbeat
	recordEnding = ".json"
)

// startsName is the lock that a daemon holds while it looks for others and writes
// its own record.
const startsName = "starts"

// startsPatience limits the wait for that lock of another start, and for the lock
// of a killed daemon. Both take milliseconds.
const startsPatience = 5 * time.Second

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked by another process")

// sum shortens long names.
func sum(text string) []byte {
	s := sha256.Sum256([]byte(text))
	return s[:16]
}

// takeLock opens and locks the file, and opens it again if it was removed between
// the two.
func takeLock(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, err
		}
		if err := lockFile(file); err != nil {
			readers := errors.Is(err, errLocked) && locked(file, unix.F_WRLCK) == unix.F_RDLCK
			file.Close()
			if readers { // a read lock has no meaning: any user can take one
				_ = os.Remove(path)
				continue
			}
			return nil, err
		}
		if means(path, file) {
			return file, file.Chmod(0o644) // independent of the umask
		}
		file.Close()
	}
}

// lockFile takes a write lock of the open file description: the process holds it
// until its end, and no child inherits it.
func lockFile(file *os.File) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errLocked
	}
	return err
}

// isLocked reports whether a process holds the write lock of the file. It takes no
// lock itself, so it never blocks a start.
func isLocked(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return locked(file, unix.F_RDLCK) == unix.F_WRLCK
}

// locked is the type of another process's lock on the file that conflicts with a
// lock of type wanted, F_UNLCK without a conflict.
func locked(file *os.File, wanted int16) int16 {
	probe := unix.Flock_t{Type: wanted}
	if unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &probe) != nil {
		return unix.F_UNLCK
	}
	return probe.Type
}

// means reports whether the path still refers to the file.
func means(path string, file *os.File) bool {
	now, err := os.Stat(path)
	if err != nil {
		return false
	}
	was, err := file.Stat()
	return err == nil && os.SameFile(now, was)
}

// make creates the directory, readable by all whatever the umask.
func (d Dir) make() error {
	if _, err := os.Stat(string(d)); err == nil {
		return nil
	}
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	return os.Chmod(string(d), 0o755)
}

// oneAtATime calls f while no other process does.
func (d Dir) oneAtATime(f func() error) error {
	if err := d.make(); err != nil {
		return err
	}
	file, err := waitForLock(filepath.Join(string(d), startsName))
	if err != nil {
		return err
	}
	defer file.Close()
	return f()
}

// waitForLock is takeLock with retries.
func waitForLock(path string) (*os.File, error) {
	for end := time.Now().Add(startsPatience); ; time.Sleep(10 * time.Millisecond) {
		file, err := takeLock(path)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, errLocked) || time.Now().After(end) {
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
	}
}
