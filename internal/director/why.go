package director

import (
	"context"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// Why returns the reasons of the real servers that are meant. The error
// is ctx's or ErrNotConfigured.
func (d *Director) Why(ctx context.Context, name, service string) ([]report.Reason, error) {
	var reasons []report.Reason
	err := d.do(ctx, func() {
		for _, r := range d.meant(name, service) {
			reasons = append(reasons, r.Why(d.now()))
		}
	})
	if err == nil && len(reasons) == 0 {
		err = report.NotConfigured(name, service)
	}
	return reasons, err
}

// Recheck has the real servers that are meant checked now, and returns the number of
// checks.
func (d *Director) Recheck(ctx context.Context, name, service string) (int, error) {
	n := 0
	var found bool
	err := d.do(ctx, func() {
		seen := map[*virtual.Check]bool{}
		var checks []*virtual.Check
		for _, r := range d.meant(name, service) {
			found = true
			for _, c := range r.Checks {
				if !seen[c] {
					seen[c] = true
					checks = append(checks, c)
				}
			}
		}
		d.checks.Soon(checks...)
		n = len(checks)
	})
	if err == nil && !found {
		err = report.NotConfigured(name, service)
	}
	return n, err
}
