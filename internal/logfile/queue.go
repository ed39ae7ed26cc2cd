package logfile

import (
	"errors"
	"sync/atomic"
	"time"
)

// How much a queue holds before lines are dropped, and how long its Close
// waits for a disk that hangs.
const (
	queueLength  = 4096
	drainTimeout = 2 * time.Second
)

// errBehind is why lines were dropped when nothing failed.
var errBehind = errors.New("they came faster than they could be written")

// A sink takes lines to where they are kept. It may block, and it is used by
// one goroutine.
type sink interface {
	write(lines [][]byte) error
	reopen()
	close()
}

// A queue stands between those who log and a sink, so that a full or hanging
// disk cannot hold up a check. Its lines are written by a goroutine of its own;
// what does not fit is dropped and counted.
type queue struct {
	sink     sink
	missing  func(n uint64, why error) []byte // the line that stands where lines are missing
	complain func(error)                      // told once each time writing begins to fail

	lines   chan []byte
	reopens chan struct{}
	quit    chan struct{}
	done    chan struct{}
	dropped atomic.Uint64 // and not told yet
	total   atomic.Uint64 // dropped ever

	failed error  // why the last write failed; nil if it did not
	lost   uint64 // lines that could not be written since then
}

func newQueue(s sink, missing func(uint64, error) []byte, complain func(error)) *queue {
	q := &queue{
		sink: s, missing: missing, complain: complain,
		lines:   make(chan []byte, queueLength),
		reopens: make(chan struct{}, 1),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	go q.run()
	return q
}

// put hands line over and never blocks. The queue keeps line. After close it
// does nothing.
func (q *queue) put(line []byte) {
	select {
	case q.lines <- line:
	default:
		q.dropped.Add(1)
		q.total.Add(1)
	}
}

// reopen makes the sink begin anew before the next line; it does not wait.
func (q *queue) reopen() {
	select {
	case q.reopens <- struct{}{}:
	default:
	}
}

// close writes what was put before and ends the goroutine. If the sink hangs
// it gives up after drainTimeout and leaves the goroutine to its fate.
func (q *queue) close() {
	close(q.quit)
	select {
	case <-q.done:
	case <-time.After(drainTimeout):
	}
}

func (q *queue) run() {
	defer close(q.done)
	defer q.sink.close()
	for {
		select {
		case line := <-q.lines:
			q.write(line)
		case <-q.reopens:
			q.sink.reopen()
		case <-q.quit:
			q.drain()
			return
		}
	}
}

func (q *queue) drain() {
	for {
		select {
		case line := <-q.lines:
			q.write(line)
		default:
			return
		}
	}
}

// write writes line and all that wait behind it at once: one write and one
// look at the file's name for a burst.
func (q *queue) write(line []byte) {
	batch := [][]byte{line}
	for more := true; more; {
		select {
		case next := <-q.lines:
			batch = append(batch, next)
		default:
			more = false
		}
	}
	n := uint64(len(batch))
	dropped := q.dropped.Swap(0)
	switch {
	case q.failed != nil:
		batch = append([][]byte{q.missing(q.lost+dropped, q.failed)}, batch...)
	case dropped > 0:
		batch = append(batch, q.missing(dropped, errBehind))
	}
	err := q.sink.write(batch)
	if err == nil {
		q.failed, q.lost = nil, 0
		return
	}
	q.lost += n + dropped
	if q.failed == nil {
		q.complain(err)
	}
	q.failed = err
}

// Write implements io.Writer for the logger. It copies p, never blocks and
// never fails.
func (q *queue) Write(p []byte) (int, error) {
	q.put(append([]byte(nil), p...))
	return len(p), nil
}
