package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
)

const (
	// A file that has not changed for restTime counts as whole; for slowRestTime where
	// the file system does not know its writers.
	restTime     = 2 * time.Second
	slowRestTime = 10 * time.Second
	// A file that may be half written is tested every restInterval for restPatience, and
	// then as seldom as any other.
	restInterval = 500 * time.Millisecond
	restPatience = 30 * time.Second
)

// A watcher detects when the configuration differs from the content of the last read, and
// is whole: the file, the included files, and the files that match a pattern. Its methods
// may be called from any goroutine; they read files and may block.
type watcher struct {
	path  string
	lease func(*os.File) (release func(), err error) // nil is the function lease

	mu     sync.Mutex
	taken  *conf.Sources // of the last read
	stamp  string        // of the files of taken, "" is that the next look reads them
	gone   string        // the file or directory that could not be read, and was reported; "" is none
	change *change       // nil: all is as it was read last
	same   time.Time     // when a look last found taken

	interval atomic.Int64               // checkinterval of the configuration in force
	open     atomic.Pointer[openChange] // the state after the last look, readable while another hangs
}

// checkInterval is the checkinterval of the configuration in force.
func (w *watcher) checkInterval() time.Duration { return time.Duration(w.interval.Load()) }

// An openChange is what keeps a changed configuration from being taken.
type openChange struct {
	why  string // the change is not taken; "" is no change, or it is not at rest yet
	gone string // the file or directory that cannot be read, "" is none
}

// A change is another content of the configuration that may be half written.
type change struct {
	sources *conf.Sources
	stamp   string
	files   []string // that are new or have another content, and can be read
	removed []string // that are no part of the configuration any more, nor on disk: they may come again
	empty   bool     // one of files is
	since   time.Time
	why     string // it is not taken, "" is that it has not been at rest for long enough
}

// stampOf identifies a version of a file without reading it.
func stampOf(path string, info os.FileInfo) string {
	if info == nil {
		return fmt.Sprintf("%q -\n", path)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Sprintf("%q ?\n", path)
	}
	return fmt.Sprintf("%q %d %d %d %v %v\n", path, st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim)
}

// stampThen is the stamp of s as it was read.
func stampThen(s *conf.Sources) string {
	var b strings.Builder
	for _, f := range s.Files {
		b.WriteString(stampOf(f.Path, f.Info))
	}
	for _, p := range s.Patterns {
		paths, err := s.Found(p)
		fmt.Fprintf(&b, "%q %q %v\n", p, paths, err)
	}
	return b.String()
}

// stampNow is the stamp of the files of s as they are.
func stampNow(s *conf.Sources) string {
	var b strings.Builder
	for _, f := range s.Files {
		info, err := os.Stat(f.Path)
		if err != nil {
			info = nil
		}
		b.WriteString(stampOf(f.Path, info))
	}
	for _, p := range s.Patterns {
		paths, err := p.Matches()
		fmt.Fprintf(&b, "%q %q %v\n", p, paths, err)
	}
	return b.String()
}

// A sight is the result of a look at the configuration.
type sight struct {
	kind    sightKind
	sources *conf.Sources // changed ones
	files   []string      // the changed ones, also those that are gone, or the unreadable one
}

type sightKind uint8

const (
	unchanged sightKind = iota
	restless            // changed, but perhaps half written
	changed
	unreadable
)

// took records the contents read now, whatever is on disk.
func (w *watcher) took(s *conf.Sources) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken, w.stamp, w.change, w.gone = s, "", nil, "" // the next look compares the content
	w.publish()
}

// waiting returns why a change is not taken, "" if there is none or it will be, and the
// file or directory that could not be read. Both are of the last complete look: a running
// one may hang.
func (w *watcher) waiting() (why, gone string) {
	if o := w.open.Load(); o != nil {
		return o.why, o.gone
	}
	return "", ""
}

// publish keeps what waiting returns. The caller holds mu.
func (w *watcher) publish() {
	o := &openChange{gone: w.gone}
	if w.change != nil {
		o.why = w.change.why
	}
	w.open.Store(o)
}

// sameSince reports whether a look after t has found the content of the last read.
func (w *watcher) sameSince(t time.Time) bool {
	if !w.mu.TryLock() {
		return false // a look is under way, and may hang
	}
	defer w.mu.Unlock()
	return w.same.After(t)
}

// look compares the files with the last read, first by their stamp and then by their
// content. A changed content that is whole becomes the last read. An unreadable file is
// reported once.
func (w *watcher) look() sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.publish()
	if w.change != nil {
		if stampNow(w.change.sources) != w.change.stamp {
			return w.seen()
		}
		return w.rested()
	}
	if w.stamp == "" || w.gone != "" || stampNow(w.taken) != w.stamp {
		return w.seen()
	}
	w.same = time.Now()
	return sight{}
}

// lost notes that a file or directory cannot be read.
func (w *watcher) lost(path string) sight {
	w.change = nil
	if w.gone == path {
		return sight{}
	}
	w.gone = path
	return sight{kind: unreadable, files: []string{path}}
}

// unreadable is a file or directory that could be read before and cannot any more, ""
// for none. What never could be is a mistake of the configuration. A directory that had
// files of a pattern and is missing is unreadable, too: it may be on a file system that is
// not mounted now.
func (w *watcher) unreadable(s *conf.Sources) string {
	for _, f := range s.Files {
		if before, ok := w.taken.File(f.Path); f.Err != nil && ok && before.Err == nil {
			return f.Path
		}
	}
	for _, p := range s.Patterns {
		paths, err := s.Found(p)
		before, errBefore := w.taken.Found(p)
		switch {
		case errBefore != nil:
		case err != nil:
			return filepath.Dir(p.String())
		case len(paths) == 0 && len(before) > 0 && !isDir(p.Root()):
			return p.Root()
		}
	}
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// seen reads the files, of which one has another stamp.
func (w *watcher) seen() sight {
	now, err := conf.Read(w.path)
	if err != nil {
		return w.lost(w.path)
	}
	if path := w.unreadable(now); path != "" {
		return w.lost(path)
	}
	w.gone = ""
	if now.Sum() == w.taken.Sum() {
		w.stamp, w.change, w.same = stampThen(now), nil, time.Now()
		return sight{}
	}
	w.change = w.changeTo(now)
	return sight{kind: restless}
}

// changeTo compares now with the contents read last.
func (w *watcher) changeTo(now *conf.Sources) *change {
	c := &change{sources: now, stamp: stampThen(now), since: time.Now()}
	for _, f := range now.Files {
		if before, ok := w.taken.File(f.Path); ok && bytes.Equal(f.Text, before.Text) {
			continue
		}
		if f.Err != nil {
			continue // the reload reports it
		}
		c.files = append(c.files, f.Path)
		if len(bytes.TrimSpace(f.Text)) == 0 {
			c.empty, c.why = true, f.Path+" is empty"
			if f.Path == w.path {
				c.why = "it is empty"
			}
		}
	}
	for _, f := range w.taken.Files {
		if _, ok := now.File(f.Path); ok {
			continue
		}
		if _, err := os.Stat(f.Path); err != nil {
			c.removed = append(c.removed, f.Path)
		}
	}
	return c
}

// rested decides on a change that looks as it did at the last look.
func (w *watcher) rested() sight {
	c := w.change
	rest := time.Since(c.since)
	if c.empty || rest < restTime || len(c.removed) > 0 && rest < slowRestTime {
		return sight{kind: restless}
	}
	for _, path := range c.files {
		release, err := w.leased(path)
		switch {
		case errors.Is(err, errWritten):
			c.why = "a process has it open for writing"
			if path != w.path {
				c.why = "a process has " + path + " open for writing"
			}
			return sight{kind: restless}
		case err != nil && rest < slowRestTime:
			return sight{kind: restless}
		}
		defer release()
	}
	now, err := conf.Read(w.path)
	if err != nil {
		return w.lost(w.path)
	}
	if now.Sum() != c.sources.Sum() {
		w.change = nil // begin again with the next look
		w.stamp = ""
		return sight{kind: restless}
	}
	w.taken, w.stamp, w.change = c.sources, c.stamp, nil
	return sight{kind: changed, sources: c.sources, files: slices.Concat(c.files, c.removed)}
}

// leased takes a lease on the file at path, which release ends.
func (w *watcher) leased(path string) (release func(), err error) {
	file, err := conf.Open(path)
	if err != nil {
		return func() {}, err
	}
	take := lease
	if w.lease != nil {
		take = w.lease
	}
	end, err := take(file)
	if err != nil {
		file.Close()
		return func() {}, err
	}
	return func() { end(); file.Close() }, nil
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

// run looks at the file every interval until ctx is done, and sends the changes. It calls
// interval, which is above 0, each time: a reload may change it. It looks more often at a
// file that may be half written. The looks do not drift: they wake the process together
// with the checks.
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
