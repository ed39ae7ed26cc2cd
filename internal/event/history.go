package event

import (
	"cmp"
	"iter"
	"slices"
	"sort"
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
	case Gone, Back, StillGone, AllGone, AnyBack, Ordered, Damped, DampingOver, Waiting, QuorumLost, QuorumRegained, BackupNeeded, BackupIdle, SelfDrained, SelfDrainOver, DrainedDown, DaemonStarted, DaemonStopped:
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
	mu        sync.Mutex
	last      uint64 // the greatest number given so far
	rings     [classes]ring
	bell      chan struct{} // see Bell; nil as long as nothing listens
	unstopped bool
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

// after returns the events with a greater number than seq, the oldest first.
func (r *ring) after(seq uint64) []*Event {
	n := len(r.events)
	newest := func(i int) *Event { return r.events[(r.oldest+n-1-i)%n] }
	i := sort.Search(n, func(i int) bool { return newest(i).Seq <= seq })
	list := make([]*Event, 0, i)
	for i--; i >= 0; i-- {
		list = append(list, newest(i))
	}
	return list
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

// Begin continues the numbers of earlier daemons, whose last event in a file is last; the zero
// Event is none. They go on above all numbers that these can have given, if there were fewer than a
// million events a second: with the microseconds of now. It is called before the first Add.
func (h *History) Begin(last Event, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last.Seq > 0 {
		h.last = last.Seq + restartGap
		h.unstopped = last.Kind != DaemonStopped
	}
	h.last = max(h.last, uint64(max(0, now.UnixMicro())))
}

// Restore adds the events of earlier daemons, sorted by their numbers, before all others. It is
// called at most once.
func (h *History) Restore(events []Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var parts [classes][]*Event
	for i := range events {
		c := events[i].class()
		parts[c] = append(parts[c], &events[i])
	}
	for c, part := range parts {
		part = append(part, h.rings[c].after(0)...)
		h.rings[c] = ring{events: part[max(0, len(part)-sizes[c]):]}
	}
}

// Unstopped reports whether the last event of the earlier daemons is not the end of one: it was
// killed, or could not write it.
func (h *History) Unstopped() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unstopped
}

// Bell has an entry when there may be events that outlive the daemon since it was last read, and
// at first. It is for one reader.
func (h *History) Bell() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bell == nil {
		h.bell = make(chan struct{}, 1)
		h.bell <- struct{}{}
	}
	return h.bell
}

// Newest yields all events, the newest first. Their pointers to the configuration are nil. The
// receiver does not write to them.
func (h *History) Newest() iter.Seq[*Event] {
	h.mu.Lock()
	var lists [classes][]*Event
	for c := range lists {
		lists[c] = h.rings[c].after(0)
	}
	h.mu.Unlock()
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

// KeptAfter returns the events that outlive the daemon and have a greater number, the oldest
// first.
func (h *History) KeptAfter(seq uint64) []*Event {
	h.mu.Lock()
	var kept []*Event
	for c := range h.rings {
		if class(c) != chatter {
			kept = append(kept, h.rings[c].after(seq)...)
		}
	}
	h.mu.Unlock()
	slices.SortFunc(kept, func(a, b *Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return kept
}
