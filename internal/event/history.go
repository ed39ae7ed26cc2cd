package event

import "time"

// historySize is how many events a History holds.
const historySize = 4096

// A History holds the last events in a ring. The zero History is empty. It is for one goroutine.
type History struct {
	records []kept
	oldest  int // meaningful if the ring is full
}

// A kept event has all that its line needs. It refers to no configuration, which
// would stay in memory as long.
type kept struct {
	at                      int64 // Unix nanoseconds
	down                    time.Duration
	id, r, mapped           string
	reason, phase, fallback string
	cause                   *Cause
	weight                  int
	failures, failureCount  int32
	kind                    Kind
}

// Add appends a copy of e, in place of the oldest event once the ring is full.
func (h *History) Add(e *Event) {
	r := kept{
		at: e.Time.UnixNano(), down: e.Down, id: e.ID, r: e.R, mapped: e.Mapped, reason: e.Reason, phase: e.Phase, fallback: e.Fallback, cause: e.Cause,
		weight: e.Weight, failures: int32(e.Failures), failureCount: int32(e.FailureCount), kind: e.Kind,
	}
	if len(h.records) < historySize {
		h.records = append(h.records, r)
		return
	}
	h.records[h.oldest] = r
	h.oldest = (h.oldest + 1) % historySize
}

// List returns the events, the oldest first. Their pointers to the configuration are nil.
func (h *History) List() []Event {
	list := make([]Event, 0, len(h.records))
	for _, part := range [][]kept{h.records[h.oldest:], h.records[:h.oldest]} {
		for i := range part {
			list = append(list, part[i].event())
		}
	}
	return list
}

// event restores the event as far as its line needs it.
func (r *kept) event() Event {
	return Event{
		Time: time.Unix(0, r.at), Kind: r.kind, V: ShortID(r.id), R: r.r, ID: r.id, Mapped: r.mapped, Weight: r.weight,
		Phase: r.phase, Fallback: r.fallback, Cause: r.cause, Failures: int(r.failures), FailureCount: int(r.failureCount), Reason: r.reason, Down: r.down,
	}
}
