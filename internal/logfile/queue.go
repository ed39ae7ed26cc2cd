package logfile

import (
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// queueSize limits the memory of waiting lines before lines are dropped: a
	// hundred thousand of them, which is every server of a large installation gone
	// and back while the disk hangs for a moment.
	queueSize = 16 << 20
	// lineCost is the memory of a line besides its text.
	lineCost = 48
	// portion limits the bytes of one write.
	portion = 1 << 20
	// drainTimeout limits how long close waits for a disk that hangs.
	drainTimeout = 2 * time.Second
)

// errBehind is the reason for dropped lines when no write failed.
var errBehind = errors.New("they came faster than they could be written")

// A sink is an output for lines. It may block, and one goroutine uses it. write
// marks the lines that it has written; with an error the others are lost.
type sink interface {
	write(lines []line) error
	reopen()
	close()
}

// A queue separates the callers of a log from a sink, so that a full or hanging
// disk cannot block a check. Its own goroutine writes the lines; lines beyond
// queueSize are dropped and counted. It uses memory only while lines wait.
type queue struct {
	sink     sink
	missing  func(n uint64, why error) []byte // makes the line in the place of missing lines
	complain func(error)                      // called once each time writes begin to fail
	wake     chan struct{}
	done     chan struct{}

	mu        sync.Mutex
	lines     []line // waiting lines
	size      int    // their memory
	dropped   uint64 // since the last of them
	total     uint64 // dropped ever
	reopening bool
	closed    bool
	fault     error // a copy of failed for other goroutines
	again     bool  // retry a failed write without waiting for the next line

	failed error  // the error of the last write; nil after a success
	lost   uint64 // lines that were not written since then
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

// put appends text and never blocks. The queue keeps text. After close it does
// nothing.
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

// tellDropped appends a line about dropped lines. q.mu is held.
func (q *queue) tellDropped() {
	if q.dropped == 0 {
		return
	}
	l := line{absent: q.dropped}
	q.lines = append(q.lines, l)
	q.size += l.cost()
	q.dropped = 0
}

// rouse wakes the goroutine. q.mu is held.
func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// reopen makes the sink reopen its output before the next line; it does not wait.
func (q *queue) reopen() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.reopening = true
	q.rouse()
}

// close writes the waiting lines and ends the goroutine. If the sink hangs it gives
// up after drainTimeout and abandons the goroutine.
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

// drain writes all waiting lines.
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

// take returns the next portion: one write and one look at the file's path for a
// burst. It frees the lines' memory in the queue.
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

// write writes lines, and before them the report about missing ones.
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

// tryAgain writes the report about lost lines, if retry was called.
func (q *queue) tryAgain() {
	q.mu.Lock()
	again := q.again
	q.again = false
	q.mu.Unlock()
	if again && q.lost > 0 {
		q.write(nil)
	}
}

// retry requests another try after a failure; it does not wait.
func (q *queue) retry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.again = true
		q.rouse()
	}
}

// broken is the error of the last write, nil after a success.
func (q *queue) broken() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fault
}

// load returns the number of waiting lines, and of all dropped ones.
func (q *queue) load() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lines), q.total
}
