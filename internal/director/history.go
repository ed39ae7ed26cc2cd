package director

import (
	"cmp"
	"context"
	"slices"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
)

// History is the notes that q chooses, from the oldest on. The error
// is ctx's, or ErrNotConfigured if what q names is neither configured nor remembered.
func (d *Director) History(ctx context.Context, q report.HistoryQuery) ([]report.Note, error) {
	var (
		events []event.Event
		names  map[report.Target]bool
	)
	err := d.do(ctx, func() {
		events = d.history.List()
		names = d.named(q.Real, q.Virtual)
	})
	if err != nil {
		return nil, err
	}
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

// named is the real servers that a query means, nil for all.
func (d *Director) named(name, virtual string) map[report.Target]bool {
	if name == "" && virtual == "" {
		return nil
	}
	names := map[report.Target]bool{}
	for _, r := range d.meant(name, virtual) {
		names[r.Target()] = true
		if name == "" {
			names[report.Target{Virtual: r.Virtual.ID, Real: ""}] = true
		}
	}
	return names
}
