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
	lockEnding   = ".lock" // holds the heartbeat, too
	recordEnding = ".json"
)

// startsName is the lock that is held while a daemon looks who else lives and
// writes its own record.
const startsName = "starts"

// startsPatience is how long another start may hold that lock, and a daemon that was
// killed its own. Both take milliseconds.
const startsPatience = 5 * time.Second

// errLocked is why a lock cannot be taken.
var errLocked = errors.New("locked by another process")

// sum shortens names that are too long.
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
			if readers { // any user can take such a lock, which means nothing
				_ = os.Remove(path)
				continue
			}
			return nil, err
		}
		if means(path, file) {
			return file, file.Chmod(0o644) // whatever the umask is
		}
		file.Close()
	}
}

// lockFile takes a write lock of the open file description: it is held until the
// process has ended, and by no child that the process starts.
func lockFile(file *os.File) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errLocked
	}
	return err
}

// isLocked says whether a process holds the write lock of the file. It takes no
// lock itself, so that it never stands in the way of a start.
func isLocked(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return locked(file, unix.F_RDLCK) == unix.F_WRLCK
}

// locked is the type of a lock that others hold on the file and that keeps a lock of
// type wanted from being taken, F_UNLCK if none does.
func locked(file *os.File, wanted int16) int16 {
	probe := unix.Flock_t{Type: wanted}
	if unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &probe) != nil {
		return unix.F_UNLCK
	}
	return probe.Type
}

// means says whether the name still means the file.
func means(path string, file *os.File) bool {
	now, err := os.Stat(path)
	if err != nil {
		return false
	}
	was, err := file.Stat()
	return err == nil && os.SameFile(now, was)
}

// make makes the directory, readable by all whatever the umask is.
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

// waitForLock is takeLock with patience.
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
