package director

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
)

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
	Cause *event.Cause `json:"cause,omitempty"`
}

// Verdict tells whether the note is of a real server or virtual service that is
// gone or back.
func (n Note) Verdict() bool {
	switch n.Kind {
	case event.Gone.String(), event.Back.String(), event.AllGone.String(), event.AnyBack.String(), event.Started.String(), event.Ordered.String(), event.StillGone.String():
		return true
	}
	return false
}

// NoteOf is the note of an event.
func NoteOf(e event.Event) Note {
	return Note{Time: e.Time, Kind: e.Kind.String(), Virtual: e.ID, Real: e.R, Text: e.Words(), Fallback: e.Fallback, After: inSeconds(e.Down), Cause: e.Cause}
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
		events []event.Event
		names  map[target]bool
	)
	err := d.do(ctx, func() {
		events = d.history.List()
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
	case n.Kind == event.Started.String() && q.Real != "": // which may name it
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
