package event

import (
	"iter"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// A class is the part of the history that an event belongs to. Each has a ring of its own, so
// that many events of one class push out none of another.
type class uint8

// The classes. All but chatter outlive the daemon.
const (
	verdicts class = iota // which real servers are out of service, and why; orders; starts and stops of the daemon
	changes               // of the table while the daemon runs, and what hinders or undoes them
	starts                // the first checks of each virtual service
	chatter               // what a start or a reload writes to the table, soft failures, certificates, checks that could not be made
	classes
)

// sizes is how many events each class holds. A mass failure of 4,000 real servers and their
// return fit into the first.
var sizes = [classes]int{verdicts: 8192, changes: 4096, starts: 4096, chatter: 4096}

// class returns the class of e.
func (e *Event) class() class {
	switch e.Kind {
	case Gone, Back, StillGone, AllGone, AnyBack, Ordered, DaemonStarted, DaemonStopped:
		return verdicts
	case Started:
		return starts
	case SoftFailure, SoftReset, Expiring, NotAsked:
		return chatter
	}
	switch {
	case e.Status == conf.Starting || e.Status == conf.Reloading:
		return chatter
	case e.Kind == FallbackAdded || e.Kind == FallbackDeleted:
		return verdicts
	}
	return changes
}

// A History holds the last events, in a ring for each class. The zero History is empty. Its
// methods may be called from any goroutine.
type History struct {
	mu    sync.Mutex
	last  uint64 // the greatest number given so far
	rings [classes]ring
	bell  chan struct{} // see Bell; nil as long as nothing listens
	runs  bool          // see Unstopped
}

// A ring has events without their configuration, which would stay in memory as long. They
// are not written to any more.
type ring struct {
	events []*Event
	oldest int // meaningful if the ring is full
}

func (r *ring) add(e *Event, size int) {
	if len(r.events) < size {
		r.events = append(r.events, e)
		return
	}
	r.events[r.oldest] = e
	r.oldest = (r.oldest + 1) % size
}

// list returns the events, the oldest first.
func (r *ring) list() []*Event {
	list := make([]*Event, 0, len(r.events))
	return append(append(list, r.events[r.oldest:]...), r.events[:r.oldest]...)
}

// Add gives e the next number, and appends a copy of it in place of the oldest event of its
// class once the ring of that is full.
func (h *History) Add(e *Event) {
	kept := *e
	kept.Virtual, kept.Real = nil, nil
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.Seq, kept.Seq = h.last, h.last
	c := kept.class()
	h.rings[c].add(&kept, sizes[c])
	if h.bell != nil && c != chatter {
		select {
		case h.bell <- struct{}{}:
		default:
		}
	}
}

// restartGap is how many events of no file, chatter, may have had a number since the last
// event of the file.
const restartGap = 1 << 20

// Restore appends the events of an earlier daemon, the oldest first, before any other. Numbers
// go on above all that it can have given, if it has written fewer than a million events a
// second: from then on they begin with the microseconds of now.
func (h *History) Restore(events []Event, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range events {
		e := &events[i]
		c := e.class()
		h.rings[c].add(e, sizes[c])
		h.last = max(h.last, e.Seq)
		h.runs = h.runs && e.Kind != DaemonStopped || e.Kind == DaemonStarted
	}
	if len(events) > 0 {
		h.last += restartGap
	}
	h.last = max(h.last, uint64(max(0, now.UnixMicro())))
}

// Unstopped reports whether the daemon of the restored events has ended without DaemonStopped:
// it was killed, or the machine was.
func (h *History) Unstopped() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs
}

// Bell has an entry when there are events that outlive the daemon since it was last read. It
// is for one reader.
func (h *History) Bell() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bell == nil {
		h.bell = make(chan struct{}, 1)
	}
	return h.bell
}

// lists returns the events of each class, the oldest first.
func (h *History) lists() (lists [classes][]*Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range lists {
		lists[c] = h.rings[c].list()
	}
	return lists
}

// Newest yields all events, the newest first. Their pointers to the configuration are nil. The
// receiver does not write to them.
func (h *History) Newest() iter.Seq[*Event] {
	lists := h.lists()
	return func(yield func(*Event) bool) {
		for {
			newest := -1
			for c, list := range lists {
				if len(list) > 0 && (newest < 0 || list[len(list)-1].Seq > lists[newest][len(lists[newest])-1].Seq) {
					newest = c
				}
			}
			if newest < 0 {
				return
			}
			list := lists[newest]
			lists[newest] = list[:len(list)-1]
			if !yield(list[len(list)-1]) {
				return
			}
		}
	}
}
