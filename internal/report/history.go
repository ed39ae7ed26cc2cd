package report

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
)

// A Note is an event.Event for readers.
type Note struct {
	// Seq is the number of the event. It grows from event to event, also over restarts of the
	// daemon; 0 is of an event that the history does not have.
	Seq     uint64    `json:"seq,omitempty"`
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`    // "gone", "back", "added", …
	Virtual string    `json:"virtual"` // "tcp:10.0.0.1:80", "" for the daemon itself
	Real    string    `json:"real,omitempty"`
	Text    string    `json:"text"` // in one line
	// Fallback is, for "all gone" and "any back", the fallback server.
	Fallback string `json:"fallback,omitempty"`
	// After is, for "gone" and "back", how long the real server was up or gone
	// before; 0 if unknown.
	After Seconds `json:"after_seconds,omitempty"`
	// Cause is the cause of a transition, nil where unknown.
	Cause *event.Cause `json:"cause,omitempty"`
}

// isVerdict has the kinds of verdicts.
var isVerdict = map[string]bool{
	event.Gone.String(): true, event.Back.String(): true, event.StillGone.String(): true, event.AllGone.String(): true, event.AnyBack.String(): true,
	event.Damped.String(): true, event.DampingOver.String(): true, event.Waiting.String(): true, event.SelfDrained.String(): true, event.SelfDrainOver.String(): true, event.DrainedDown.String(): true,
	event.QuorumLost.String(): true, event.QuorumRegained.String(): true, event.BackupNeeded.String(): true, event.BackupIdle.String(): true,
	event.Started.String(): true, event.Ordered.String(): true, event.DaemonStarted.String(): true, event.DaemonStopped.String(): true,
}

// Verdict reports whether the note is of a real server or virtual service gone or back, of
// an order, or of a start.
func (n Note) Verdict() bool { return isVerdict[n.Kind] }

// NoteOf returns the note of an event.
func NoteOf(e event.Event) Note {
	return Note{Seq: e.Seq, Time: e.Time, Kind: e.Kind.String(), Virtual: e.ID, Real: e.R, Text: e.Words(), Fallback: e.Fallback, After: InSeconds(e.Down), Cause: e.Cause}
}

// A HistoryQuery chooses notes. The zero HistoryQuery chooses the last of all.
type HistoryQuery struct {
	Real     string // as an Order names it, "" is all
	Virtual  string
	Verdicts bool // only "gone" and "back"
	Limit    int  // 0 is 100
	// After chooses the notes with a greater number: the first Limit of these, and not the last
	// ones. 0 is all.
	After uint64
}

// Wants reports whether q chooses n. names are the real servers that q means, nil is all;
// a Target without Real is the virtual service. Starts and stops of the daemon are always chosen. What the configuration does not have any
// more has to be named as it is shown.
func (q HistoryQuery) Wants(n Note, names map[Target]bool) bool {
	switch {
	case names == nil, n.Virtual == "", names[Target{Virtual: n.Virtual, Real: n.Real}]:
		return true
	case n.Kind == event.Started.String() && q.Real != "": // which may name it
		for t := range names {
			if t.Virtual == n.Virtual {
				return true
			}
		}
		return false
	case q.Real == "":
		return names[Target{Virtual: n.Virtual}] || n.Virtual == q.Virtual
	}
	return n.Real == q.Real && (q.Virtual == "" || q.Virtual == n.Virtual)
}
