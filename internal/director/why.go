package director

import (
	"context"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// Why returns the reasons of the real servers that are meant. The error
// is ctx's or ErrNotConfigured.
func (d *Director) Why(ctx context.Context, name, service string) ([]report.Reason, error) {
	reasons, err := do(ctx, d, func() (reasons []report.Reason) {
		for _, r := range d.meant(name, service) {
			reasons = append(reasons, r.Why(d.now()))
		}
		return reasons
	})
	if err == nil && len(reasons) == 0 {
		err = report.NotConfigured(name, service)
	}
	return reasons, err
}

// Recheck has the real servers that are meant checked now, and returns the number of
// checks.
func (d *Director) Recheck(ctx context.Context, name, service string) (int, error) {
	const none = -1 // real servers
	n, err := do(ctx, d, func() int {
		meant := d.meant(name, service)
		if len(meant) == 0 {
			return none
		}
		seen := map[*virtual.Check]bool{}
		var checks []*virtual.Check
		for _, r := range meant {
			for _, c := range r.Checks {
				if !seen[c] {
					seen[c] = true
					checks = append(checks, c)
				}
			}
		}
		d.checks.Soon(checks...)
		return len(checks)
	})
	if n == none {
		return 0, report.NotConfigured(name, service)
	}
	return n, err
}
