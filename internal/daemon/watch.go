package daemon

import (
	"context"
	"crypto/sha256"
	"os"
	"sync"
	"time"
)

// A watcher knows how the configuration file looked when it was last read. Its
// methods may be called from any goroutine; they read the file and may block.
type watcher struct {
	path string

	mu    sync.Mutex
	mtime time.Time
	sum   [sha256.Size]byte
	gone  bool // it could not be read, and that was said
}

// A sight is what a look at the file saw.
type sight uint8

const (
	unchanged sight = iota
	changed
	unreadable
)

// stamp takes the file as it is now for the one that is read next.
func (w *watcher) stamp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stat, err := os.Stat(w.path); err == nil {
		w.mtime = stat.ModTime()
	}
	if text, err := os.ReadFile(w.path); err == nil {
		w.sum, w.gone = sha256.Sum256(text), false
	}
}

// look compares the file with the stamp, first by its time and then by its
// content, and stamps it. That a file cannot be read is said once.
func (w *watcher) look() sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	stat, err := os.Stat(w.path)
	if err == nil && stat.ModTime().Equal(w.mtime) && !w.gone {
		return unchanged
	}
	text, readErr := os.ReadFile(w.path)
	if err != nil || readErr != nil {
		said := w.gone
		w.gone = true
		if said {
			return unchanged
		}
		return unreadable
	}
	w.gone, w.mtime = false, stat.ModTime()
	sum := sha256.Sum256(text)
	if sum == w.sum {
		return unchanged
	}
	w.sum = sum
	return changed
}

// run looks at the file every interval until ctx is done and sends what is news.
// interval is more than zero, and asked each time, since a reload may change it.
// The looks do not drift: they wake the process together with the checks.
func (w *watcher) run(ctx context.Context, interval func() time.Duration, news chan<- sight) {
	every := interval()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := interval(); now != every {
			every = now
			tick.Reset(every)
		}
		seen := w.look()
		if seen == unchanged {
			continue
		}
		select {
		case news <- seen:
		case <-ctx.Done():
			return
		}
	}
}
