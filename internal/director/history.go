package director

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// History is the notes that q chooses, from the oldest on. The error
// is ctx's, or ErrNotConfigured if what q names is neither configured nor remembered.
func (d *Director) History(ctx context.Context, q report.HistoryQuery) ([]report.Note, error) {
	var names map[report.Target]bool
	var none error
	if q.Real != "" || q.Virtual != "" {
		var err error
		names, err = do(ctx, d, func() map[report.Target]bool {
			none = d.notConfigured(q.Real, q.Virtual)
			return targetsOf(d.meant(q.Real, q.Virtual), q.Real)
		})
		if err != nil {
			return nil, err
		}
	}
	limit := cmp.Or(max(q.Limit, 0), 100)
	unknown := names != nil && len(names) == 0 // as long as no note shows that there was what q names
	notes := []report.Note{}
	for e := range d.history.Newest() {
		if e.Seq <= q.After && !unknown || q.After == 0 && len(notes) == limit {
			break
		}
		n := report.NoteOf(*e)
		if !q.Wants(n, names) {
			continue
		}
		unknown = unknown && n.Virtual == ""
		if e.Seq > q.After && (!q.Verdicts || n.Verdict()) {
			notes = append(notes, n)
		}
	}
	if unknown {
		return nil, none
	}
	slices.Reverse(notes)
	return notes[:min(len(notes), limit)], nil
}

// targetsOf returns the targets of real servers, and without a name those of their virtual
// services.
func targetsOf(meant []*virtual.Real, name string) map[report.Target]bool {
	names := map[report.Target]bool{}
	for _, r := range meant {
		names[r.Target()] = true
		if name == "" {
			names[report.Target{Virtual: r.Virtual.ID, Real: ""}] = true
		}
	}
	return names
}

// noteStart notes the start of the daemon, before its first change of the table.
func noteStart(h *event.History, now time.Time) {
	e := event.Event{Kind: event.DaemonStarted, Time: now}
	if h.Unstopped() {
		e.Reason = "no end of the one before is recorded, as after a crash"
	}
	h.Add(&e)
}

// noteEnd notes the end of the daemon, after its last change of the table.
func noteEnd(h *event.History, leaving bool) {
	e := event.Event{Kind: event.DaemonStopped, Time: time.Now()}
	if leaving {
		e.Reason = "the table stays as it is"
	}
	h.Add(&e)
}
