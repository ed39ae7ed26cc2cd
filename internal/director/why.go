package director

import (
	"context"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// Why returns the reasons of the real servers that are meant. The error
// is ctx's or ErrNotConfigured.
func (d *Director) Why(ctx context.Context, name, service string) ([]report.Reason, error) {
	var unknown error // not read if err is ctx's: f may still run
	reasons, err := do(ctx, d, func() (reasons []report.Reason) {
		for _, r := range d.meant(name, service) {
			reasons = append(reasons, r.Why(d.now()))
		}
		if len(reasons) == 0 {
			unknown = d.notConfigured(name, service)
		}
		return reasons
	})
	if err != nil {
		return nil, err
	}
	return reasons, unknown
}

// Recheck has the real servers that are meant checked now, and returns what becomes of
// that. The error is ctx's or ErrNotConfigured.
func (d *Director) Recheck(ctx context.Context, name, service string) (report.Recheck, error) {
	var unknown error
	a, err := do(ctx, d, func() report.Recheck {
		meant := d.meant(name, service)
		if len(meant) == 0 {
			unknown = d.notConfigured(name, service)
		}
		unasked := 0
		seen := map[*virtual.Check]bool{}
		var checks []*virtual.Check
		for _, r := range meant {
			if len(r.Checks) == 0 {
				unasked++
			}
			for _, c := range r.Checks {
				if !seen[c] {
					seen[c] = true
					checks = append(checks, c)
				}
			}
		}
		a := d.checks.Recheck(checks...)
		a.Unasked = unasked
		return a
	})
	if err != nil {
		return report.Recheck{}, err
	}
	return a, unknown
}
