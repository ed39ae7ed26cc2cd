package director

import (
	"cmp"
	"context"
	"slices"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// History is the notes that q chooses, from the oldest on. The error
// is ctx's, or ErrNotConfigured if what q names is neither configured nor remembered.
func (d *Director) History(ctx context.Context, q report.HistoryQuery) ([]report.Note, error) {
	type found struct {
		events []event.Event
		names  map[report.Target]bool
	}
	all, err := do(ctx, d, func() (f found) {
		f.events = d.history.List()
		if q.Real != "" || q.Virtual != "" {
			f.names = targetsOf(d.meant(q.Real, q.Virtual), q.Real)
		}
		return f
	})
	if err != nil {
		return nil, err
	}
	events, names := all.events, all.names
	notes := make([]report.Note, len(events))
	for i, e := range events {
		notes[i] = report.NoteOf(e)
	}
	notes = slices.DeleteFunc(notes, func(n report.Note) bool { return q.Verdicts && !n.Verdict() || !q.Wants(n, names) })
	if len(notes) == 0 && names != nil && len(names) == 0 {
		return nil, report.NotConfigured(q.Real, q.Virtual)
	}
	return notes[max(0, len(notes)-cmp.Or(max(q.Limit, 0), 100)):], nil
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
