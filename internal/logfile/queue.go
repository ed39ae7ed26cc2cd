package logfile

import (
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// queueSize is how much memory the lines that wait may take before lines are
	// dropped: a hundred thousand of them, which is every server of a large
	// installation gone and back while the disk stands still for a moment.
	queueSize = 16 << 20
	// lineCost is what a line takes besides its text.
	lineCost = 48
	// portion is how much is written at once.
	portion = 1 << 20
	// drainTimeout is how long close waits for a disk that hangs.
	drainTimeout = 2 * time.Second
)

// errBehind is why lines were dropped when nothing failed.
var errBehind = errors.New("they came faster than they could be written")

// A sink takes lines to where they are kept. It may block, and it is used by
// one goroutine. write marks the lines that it has written; with an error the
// others are lost.
type sink interface {
	write(lines []line) error
	reopen()
	close()
}

// A queue stands between those who log and a sink, so that a full or hanging
// disk cannot hold up a check. Its lines are written by a goroutine of its own;
// what does not fit is dropped and counted. It takes memory only while lines
// wait.
type queue struct {
	sink     sink
	missing  func(n uint64, why error) []byte // the line that stands where lines are missing
	complain func(error)                      // told once each time writing begins to fail
	wake     chan struct{}
	done     chan struct{}

	mu        sync.Mutex
	lines     []line // that wait
	size      int    // what they take
	dropped   uint64 // since the last of them
	total     uint64 // dropped ever
	reopening bool
	closed    bool
	fault     error // failed, for others
	again     bool  // what failed is to be tried without waiting for the next line

	failed error  // why the last write failed; nil if it did not
	lost   uint64 // lines that could not be written since then
}

func newQueue(s sink, missing func(uint64, error) []byte, complain func(error)) *queue {
	q := &queue{
		sink: s, missing: missing, complain: complain,
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	go q.run()
	return q
}

// put hands text over and never blocks. The queue keeps text. After close it
// does nothing.
func (q *queue) put(text []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	l := line{text: text}
	if q.size+l.cost() > queueSize {
		q.dropped++
		q.total++
		return
	}
	q.tellDropped()
	q.lines = append(q.lines, l)
	q.size += l.cost()
	q.rouse()
}

// tellDropped has a line stand for those that were dropped. q.mu is held.
func (q *queue) tellDropped() {
	if q.dropped == 0 {
		return
	}
	l := line{absent: q.dropped}
	q.lines = append(q.lines, l)
	q.size += l.cost()
	q.dropped = 0
}

// rouse has the goroutine look what there is to do. q.mu is held.
func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// reopen makes the sink begin anew before the next line; it does not wait.
func (q *queue) reopen() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.reopening = true
	q.rouse()
}

// close writes what was put before and ends the goroutine. If the sink hangs
// it gives up after drainTimeout and leaves the goroutine to its fate.
func (q *queue) close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.wake)
	}
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-time.After(drainTimeout):
	}
}

func (q *queue) run() {
	defer close(q.done)
	defer q.sink.close()
	for range q.wake {
		q.drain()
	}
	q.drain()
}

// drain writes all that waits.
func (q *queue) drain() {
	for {
		lines, reopen := q.take()
		if reopen {
			q.sink.reopen()
		}
		if len(lines) == 0 {
			q.tryAgain()
			return
		}
		q.write(lines)
	}
}

// take takes the next portion: one write and one look at the file's name for a
// burst. What the lines took is given back.
func (q *queue) take() (lines []line, reopen bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	reopen, q.reopening = q.reopening, false
	n, size := 0, 0
	for n < len(q.lines) && size < portion {
		size += q.lines[n].cost()
		n++
	}
	if n == len(q.lines) {
		q.tellDropped()
		lines, q.lines, q.size = q.lines, nil, 0
		return lines, reopen
	}
	lines = slices.Clone(q.lines[:n])
	clear(q.lines[:n])
	q.lines, q.size = q.lines[n:], q.size-size
	return lines, reopen
}

// write writes lines, and before them what is missing.
func (q *queue) write(lines []line) {
	for i, l := range lines {
		if l.absent > 0 {
			lines[i].text = q.missing(l.absent, errBehind)
		}
	}
	if q.lost > 0 {
		lines = slices.Insert(lines, 0, line{text: q.missing(q.lost, q.failed), absent: q.lost})
	}
	err := q.sink.write(lines)
	q.lost = 0
	if err != nil {
		q.lost = unwritten(lines)
		if q.failed == nil {
			q.complain(err)
		}
	}
	q.failed = err
	q.mu.Lock()
	q.fault = err
	q.mu.Unlock()
}

// tryAgain has the line written that stands for those that were lost, if retry says so.
func (q *queue) tryAgain() {
	q.mu.Lock()
	again := q.again
	q.again = false
	q.mu.Unlock()
	if again && q.lost > 0 {
		q.write(nil)
	}
}

// retry has what failed tried again; it does not wait.
func (q *queue) retry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.again = true
		q.rouse()
	}
}

// broken is why the last write failed, nil if it did not.
func (q *queue) broken() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fault
}

// load is how many lines wait, and how many were dropped ever.
func (q *queue) load() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lines), q.total
}

// Write implements io.Writer for the logger. It copies p, never blocks and
// never fails.
func (q *queue) Write(p []byte) (int, error) {
	q.put(slices.Clone(p))
	return len(p), nil
}
