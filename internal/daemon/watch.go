package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
)

const (
	// restTime is how long a file must have been as it is to count as whole;
	// slowRestTime where the file system cannot tell that no process writes to it.
	restTime     = 2 * time.Second
	slowRestTime = 10 * time.Second
	// restInterval is how often a file is looked at that may be half written, for
	// restPatience. After that it is looked at as seldom as any other.
	restInterval = 500 * time.Millisecond
	restPatience = 30 * time.Second
)

// A watcher finds out when the configuration file has another content than the one
// that was read last, and is whole. Its methods may be called from any goroutine;
// they read the file and may block.
type watcher struct {
	path  string
	lease func(*os.File) (release func(), err error) // nil is the function lease

	mu     sync.Mutex
	stamp  stamp             // of the file when its content was read last
	sum    [sha256.Size]byte // of that content
	gone   bool              // it could not be read, and that was reported
	change *change           // nil: it is as it was read last
	same   time.Time         // when a look last found the content that was read last
}

// A change is another content of the file that may be half written.
type change struct {
	stamp stamp
	sum   [sha256.Size]byte
	empty bool
	since time.Time // it has been like this
	why   string    // it is not taken, "" is that it has not been at rest for long enough
}

// A stamp tells versions of a file apart without reading it.
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime syscall.Timespec
}

func stampOf(info os.FileInfo) stamp {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}
	}
	return stamp{dev: st.Dev, ino: st.Ino, size: st.Size, mtime: st.Mtim, ctime: st.Ctim}
}

// A sight is what a look at the file saw.
type sight struct {
	kind sightKind
	text []byte // of a changed file
}

type sightKind uint8

const (
	unchanged sightKind = iota
	restless            // changed, but perhaps half written
	changed
	unreadable
)

// took notes the content that is read now, whatever it is: text.
func (w *watcher) took(text []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamp, w.change, w.gone = stamp{}, nil, false // the next look compares the content
	w.sum = sha256.Sum256(text)
}

// waiting is why a changed file is not taken, "" if there is none or it is about to be,
// and whether the file could not be read.
func (w *watcher) waiting() (why string, gone bool) {
	if !w.mu.TryLock() {
		return "", false // a look is under way, and may hang
	}
	defer w.mu.Unlock()
	if w.change != nil {
		why = w.change.why
	}
	return why, w.gone
}

// sameSince says whether a look after t has found the content that was read last.
func (w *watcher) sameSince(t time.Time) bool {
	if !w.mu.TryLock() {
		return false // a look is under way, and may hang
	}
	defer w.mu.Unlock()
	return w.same.After(t)
}

// look compares the file with what was read last, first by its stamp and then by its
// content. A changed content that is whole counts as read with that. That the file
// cannot be read is reported once.
func (w *watcher) look() sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	file, err := conf.Open(w.path)
	if err != nil {
		return w.lost()
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return w.lost()
	}
	now := stampOf(info)
	switch {
	case w.change == nil && now == w.stamp && !w.gone:
		w.same = time.Now()
		return sight{}
	case w.change == nil || now != w.change.stamp:
		return w.seen(file, now)
	}
	return w.rested(file)
}

// lost notes that the file cannot be read.
func (w *watcher) lost() sight {
	w.change = nil
	if w.gone {
		return sight{}
	}
	w.gone = true
	return sight{kind: unreadable}
}

// seen reads a file that has another stamp.
func (w *watcher) seen(file *os.File, now stamp) sight {
	text, err := io.ReadAll(file)
	if err != nil {
		return w.lost()
	}
	w.gone = false
	sum := sha256.Sum256(text)
	if sum == w.sum {
		w.stamp, w.change, w.same = now, nil, time.Now()
		return sight{}
	}
	w.change = &change{stamp: now, sum: sum, since: time.Now(), empty: len(bytes.TrimSpace(text)) == 0}
	if w.change.empty {
		w.change.why = "it is empty"
	}
	return sight{kind: restless}
}

// rested decides on a changed file that looks as it did at the last look.
func (w *watcher) rested(file *os.File) sight {
	c := w.change
	rest := time.Since(c.since)
	if c.empty || rest < restTime {
		return sight{kind: restless}
	}
	release, err := w.leased(file)
	switch {
	case errors.Is(err, errWritten):
		c.why = "a process has it open for writing"
		return sight{kind: restless}
	case err != nil && rest < slowRestTime:
		return sight{kind: restless}
	}
	defer release()
	text, err := io.ReadAll(file)
	if err != nil {
		return w.lost()
	}
	if sum := sha256.Sum256(text); sum != c.sum {
		w.change = nil // begin again with the next look
		w.stamp = stamp{}
		return sight{kind: restless}
	}
	w.stamp, w.sum, w.change = c.stamp, c.sum, nil
	return sight{kind: changed, text: text}
}

func (w *watcher) leased(file *os.File) (release func(), err error) {
	if w.lease != nil {
		return w.lease(file)
	}
	return lease(file)
}

// errWritten is why there is no lease on a file that a process has open for writing.
var errWritten = errors.New("open for writing")

// lease takes a read lease on a file (fcntl(2), F_SETLEASE), which the kernel grants
// only while no process has it open for writing. Until release a process that opens it
// to write waits. Any other error than errWritten is that there are no leases here.
func lease(file *os.File) (release func(), err error) {
	release = func() {}
	var fs unix.Statfs_t
	fd := int(file.Fd())
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return release, err
	}
	switch uint32(fs.Type) { // which do not know of writers on other hosts, or refuse leases with EAGAIN
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC:
		return release, fmt.Errorf("file system type %#x has no leases", fs.Type)
	}
	_, err = unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return release, errWritten
	case err != nil:
		return release, err
	}
	return func() { _, _ = unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_UNLCK) }, nil
}

// run looks at the file every interval until ctx is done and sends what is news.
// interval is more than zero, and asked each time, since a reload may change it. A
// file that may be half written is looked at more often. The looks do not drift: they
// wake the process together with the checks.
func (w *watcher) run(ctx context.Context, interval func() time.Duration, news chan<- sight) {
	every := interval()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var restlessSince time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		seen := w.look()
		next := interval()
		if seen.kind != restless {
			restlessSince = time.Time{}
		} else if restlessSince.IsZero() {
			restlessSince = time.Now()
		}
		if !restlessSince.IsZero() && time.Since(restlessSince) < restPatience {
			next = min(next, restInterval)
		}
		if next != every {
			every = next
			tick.Reset(every)
		}
		if seen.kind == unchanged || seen.kind == restless {
			continue
		}
		select {
		case news <- seen:
		case <-ctx.Done():
			return
		}
	}
}
