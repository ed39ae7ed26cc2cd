package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A pidFile is the path of the file in which a daemon leaves its process id.
type pidFile string

// State is whether a daemon runs, as far as its pid file tells.
type state uint8

const (
	stopped state = iota // there is no pid file
	stale                // there is one, but no daemon
	running
)

// errRunning is why a pid file cannot be claimed.
var errRunning = errors.New("another daemon has the pid file")

// read says whether the daemon runs, and its process id if it does.
func (f pidFile) read() (int, state) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, stopped
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !isDirector(pid) {
		return 0, stale
	}
	return pid, running
}

// isDirector says whether a process is an ldirectord, this one or the original,
// by the words it was started with. A process that has ended but was not waited
// for has none.
func isDirector(pid int) bool {
	if pid <= 0 || pid == os.Getpid() {
		return false
	}
	words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(words), "ldirectord")
}

// claim writes this process into the pid file and keeps the file locked until
// release removes it, so that of two daemons that start at once one fails.
func (f pidFile) claim() (release func(), err error) {
	file, err := f.lock()
	if err != nil {
		return nil, fmt.Errorf("pid file %s: %w", f, err)
	}
	if _, state := f.read(); state == running {
		file.Close()
		return nil, errRunning
	}
	text := strconv.Itoa(os.Getpid()) + "\n"
	if err := errors.Join(file.Truncate(0), writeAt(file, text)); err != nil {
		file.Close()
		return nil, fmt.Errorf("pid file %s: %w", f, err)
	}
	return func() {
		if f.is(file) { // an administrator may have removed it, and another daemon begun
			os.Remove(string(f))
		}
		file.Close()
	}, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// lock opens and locks the file, and opens it again if it was removed between
// the two.
func (f pidFile) lock() (*os.File, error) {
	for {
		file, err := os.OpenFile(string(f), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			file.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, errRunning
			}
			return nil, err
		}
		if f.is(file) {
			return file, nil
		}
		file.Close()
	}
}

// is says whether the name still means file.
func (f pidFile) is(file *os.File) bool {
	now, err := os.Stat(string(f))
	if err != nil {
		return false
	}
	was, err := file.Stat()
	return err == nil && os.SameFile(now, was)
}

// waitGone waits until a process has ended, and reports whether it did within
// the time.
func waitGone(pid int, patience time.Duration) bool {
	for end := time.Now().Add(patience); isDirector(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
