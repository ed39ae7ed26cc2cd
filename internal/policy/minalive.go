package policy

import (
	"cmp"
	"slices"
)

// keep returns which of the members stay in service although their checks fail, so that checks
// alone never leave a virtual service with less than minalive: those that went down last. One that
// was out of service stays out: a dead real server is no help when an operator takes another one
// out. Backup servers are never kept; backupsIn of them are in service, and make up for real servers.
func (r Rule) keep(members []Member, backupsIn int) []bool {
	missing := r.MinAlive - backupsIn
	var down []int
	for i := range members {
		switch m := &members[i]; {
		case m.Backup, m.Maintenance, m.Waits, m.Verdict == Unchecked, m.Verdict == Up && m.drainsItself():
		case m.Verdict == Up:
			missing--
		case m.Order == Drained, m.Order == Disabled: // also when the order ends, as it is dead
		case m.Serves:
			down = append(down, i)
		}
	}
	slices.SortStableFunc(down, func(a, b int) int {
		return cmp.Compare(members[b].Since.UnixNano(), members[a].Since.UnixNano())
	})
	kept := make([]bool, len(members))
	for _, i := range down[:min(len(down), max(0, missing))] {
		kept[i] = true
	}
	return kept
}
