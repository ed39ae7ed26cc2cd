package director

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// historySize is how many events are remembered.
const historySize = 4096

// A history is the last events, in a ring.
type history struct {
	records []record
	oldest  int // meaningful if the ring is full
}

// A record is what of an event is needed to tell it again. It leads to no
// configuration, which would live as long.
type record struct {
	at                      int64 // Unix nanoseconds
	down                    time.Duration
	id, r, mapped           string
	reason, phase, fallback string
	cause                   *Cause
	weight                  int
	failures, failureCount  int32
	kind                    Kind
}

func (h *history) add(e *Event) {
	r := record{
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

// list is the events from the oldest on.
func (h *history) list() []Event {
	list := make([]Event, 0, len(h.records))
	for _, part := range [][]record{h.records[h.oldest:], h.records[:h.oldest]} {
		for i := range part {
			list = append(list, part[i].event())
		}
	}
	return list
}

// event is the event again, as far as a Note of it goes.
func (r *record) event() Event {
	return Event{
		Time: time.Unix(0, r.at), Kind: r.kind, V: shortID(r.id), R: r.r, ID: r.id, Mapped: r.mapped, Weight: r.weight,
		Phase: r.phase, Fallback: r.fallback, Cause: r.cause, Failures: int(r.failures), FailureCount: int(r.failureCount), Reason: r.reason, Down: r.down,
	}
}

// A Note is an Event as others read it.
type Note struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`    // "gone", "back", "added", …
	Virtual string    `json:"virtual"` // "tcp:10.0.0.1:80"
	Real    string    `json:"real,omitempty"`
	Text    string    `json:"text"` // in one line
	// Fallback is, for "all gone" and "any back", the fallback server.
	Fallback string `json:"fallback,omitempty"`
	// After is, for "gone" and "back", how long the real server was up or gone
	// before; 0 if nobody knows.
	After Seconds `json:"after_seconds,omitempty"`
	// Cause is what brought a transition about, nil where that is unknown.
	Cause *Cause `json:"cause,omitempty"`
}

// Verdict tells whether the note is of a real server or virtual service that is
// gone or back.
func (n Note) Verdict() bool {
	switch n.Kind {
	case kindWords[Gone], kindWords[Back], kindWords[AllGone], kindWords[AnyBack], kindWords[Started], kindWords[Ordered], kindWords[StillGone]:
		return true
	}
	return false
}

// NoteOf is the note of an event.
func NoteOf(e Event) Note {
	return Note{Time: e.Time, Kind: e.Kind.String(), Virtual: e.ID, Real: e.R, Text: e.words(), Fallback: e.Fallback, After: inSeconds(e.Down), Cause: e.Cause}
}

// words is the event in one line, also for those that have none in
// ldirectord.log.
func (e Event) words() string {
	reason := ""
	if e.Reason != "" {
		reason = ": " + e.Reason
	}
	switch e.Kind {
	case Gone:
		return "real server " + e.R + " is gone" + reason
	case Back:
		return "real server " + e.R + " is back" + reason + e.appendedCause()
	case StillGone:
		return "real server " + e.R + " is still gone" + reason
	case AllGone:
		return "no real server of " + e.V + " is left" + fallbackWords(e.Fallback, " takes over") + reason + e.appendedCause()
	case AnyBack:
		return "a real server of " + e.V + " is back" + fallbackWords(e.Fallback, " is not needed any more") + reason + e.appendedCause()
	case Started:
		return e.Phase + ": " + e.Reason
	case SoftFailure:
		return e.String() + reason
	}
	return e.String()
}

func fallbackWords(fallback, what string) string {
	if fallback == "" {
		return ""
	}
	return ", fallback " + fallback + what
}

var kindWords = [...]string{
	VirtualAdded: "virtual added", VirtualChanged: "virtual changed", VirtualPurged: "virtual purged",
	RealAdded: "added", RealRestored: "restored", RealQuiesced: "quiesced", RealReaddQuiesced: "quiesced",
	RealDeleted: "deleted", RealPurged: "purged", FallbackAdded: "fallback added", FallbackDeleted: "fallback deleted",
	SoftFailure: "soft failure", SoftReset: "soft failure over", Refused: "refused", Repaired: "repaired",
	Differs: "differs", Kept: "kept", Expiring: "certificate", NotAsked: "not asked", Ordered: "ordered",
	Gone: "gone", Back: "back", AllGone: "all gone", AnyBack: "any back", Started: "started", StillGone: "still gone",
	FirstUp: "first up", FirstDown: "first down", FallbackOn: "fallback on", FallbackOff: "fallback off",
}

// String is the kind in a word or two.
func (k Kind) String() string {
	if int(k) < len(kindWords) {
		return kindWords[k]
	}
	return "unknown"
}

// A HistoryQuery chooses notes. The zero HistoryQuery chooses the last of all.
type HistoryQuery struct {
	Real     string // as an Order names it, "" is all
	Virtual  string
	Verdicts bool // only who is gone and who is back
	Limit    int  // 0 is 100
}

// History is the notes that q chooses, from the oldest on. The error
// is ctx's, or ErrNotConfigured if what q names is neither configured nor remembered.
func (d *Director) History(ctx context.Context, q HistoryQuery) ([]Note, error) {
	var (
		events []Event
		names  map[target]bool
	)
	err := d.do(ctx, func() {
		events = d.history.list()
		names = d.named(q.Real, q.Virtual)
	})
	if err != nil {
		return nil, err
	}
	notes := make([]Note, len(events))
	for i, e := range events {
		notes[i] = NoteOf(e)
	}
	notes = slices.DeleteFunc(notes, func(n Note) bool { return q.Verdicts && !n.Verdict() || !q.wants(n, names) })
	if len(notes) == 0 && names != nil && len(names) == 0 {
		return nil, notConfigured(q.Real, q.Virtual)
	}
	return notes[max(0, len(notes)-cmp.Or(max(q.Limit, 0), 100)):], nil
}

// named is the real servers that a query means, nil for all.
func (d *Director) named(name, virtual string) map[target]bool {
	if name == "" && virtual == "" {
		return nil
	}
	names := map[target]bool{}
	for _, r := range d.meant(name, virtual) {
		names[r.target()] = true
		if name == "" {
			names[target{r.virtual.id, ""}] = true
		}
	}
	return names
}

// wants reports whether n is of what was named. What is in the configuration no
// more has to be named as it is shown.
func (q HistoryQuery) wants(n Note, names map[target]bool) bool {
	switch {
	case names == nil, names[target{n.Virtual, n.Real}]:
		return true
	case n.Kind == kindWords[Started] && q.Real != "": // which may name it
		for t := range names {
			if t.virtual == n.Virtual {
				return true
			}
		}
		return false
	case q.Real == "":
		return names[target{n.Virtual, ""}] || n.Virtual == q.Virtual
	}
	return n.Real == q.Real && (q.Virtual == "" || q.Virtual == n.Virtual)
}
