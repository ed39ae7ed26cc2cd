package director

import (
	"maps"
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// maintained takes up a report of the maintenance directory.
func (d *Director) maintained(r maintenance.Report) {
	for _, line := range maintenance.News(r.State, d.maintenance) {
		d.o.Log("%s", line)
	}
	d.maintenance = r.State
	d.maintain(r.Out)
	orderByFiles(d, r.Orders)
}

// orderByFiles takes up the orders of files (maintenanceorders). An operator's order counts
// before that of a file.
func orderByFiles(d *Director, orders map[netip.AddrPort]maintenance.Order) {
	before := d.overrides.files
	if maps.Equal(before, orders) {
		return
	}
	d.overrides.files = orders
	for _, v := range d.virtuals {
		for _, r := range v.Reals {
			at := r.Conf.AddrPort()
			if _, operators := d.overrides.byTarget[r.Target()]; operators || before[at] == orders[at] {
				continue
			}
			over := report.Override{Verb: report.Enable, By: "file " + before[at].File}
			why := "enable: no order any more of " + before[at].String()
			if now := d.overrides.byFile(r); now != nil {
				over, why = *now, now.String()
			}
			d.emit(v, event.Event{Kind: event.Ordered, Real: r.Conf, R: r.Name(), Reason: why, Cause: d.overruled(r, over, why)})
		}
	}
}

var verbsOfFiles = map[string]string{maintenance.Drain: report.Drain, maintenance.Weight: report.Weight, maintenance.Out: report.Disable}

// ofFile is what a file orders for a real server besides the operator, "" for nothing.
func (o *overrides) ofFile(t report.Target) string {
	at, err := netip.ParseAddrPort(t.Real)
	if f, ok := o.files[at]; err == nil && ok {
		return "the order of a file stays: " + f.String()
	}
	return ""
}

// byFile is the override of r by a file, nil is none.
func (o *overrides) byFile(r *virtual.Real) *report.Override {
	f, ok := o.files[r.Conf.AddrPort()]
	if !ok {
		return nil
	}
	return &report.Override{
		Verb: verbsOfFiles[f.Verb], Virtual: r.Virtual.ID, Real: r.Name(), Weight: f.Weight, Percent: f.Percent,
		Since: f.Since, Until: f.Until, Comment: f.Comment, By: "file " + f.File,
	}
}

// maintain takes real servers out, and has those checked that may come back.
func (d *Director) maintain(out map[netip.AddrPort]string) {
	for _, v := range d.virtuals {
		for _, r := range v.Reals {
			file := out[r.Conf.AddrPort()]
			switch {
			case file == r.File():
			case file == "":
				d.backToWork(r)
			default:
				d.takeOut(r, file)
			}
		}
	}
}

func (d *Director) takeOut(r *virtual.Real, file string) {
	wasIn := r.In()
	r.BeginMaintenance(file, d.now())
	d.touch(r.Virtual) // a drained one leaves the table, too
	if wasIn {
		e := r.Event(event.Gone)
		e.Reason = "in maintenance: file " + file
		e.Cause = &event.Cause{Kind: event.CauseMaintenance, Detail: e.Reason}
		r.Virtual.Moved(r, false, e.Cause)
		d.changed(r, e)
		return
	}
	if r.Verdict == policy.Down {
		d.emit(r.Virtual, r.Event(event.Maintained))
	}
}

// backToWork lets the next check decide, at once. Until then it is out for
// maintenance.
func (d *Director) backToWork(r *virtual.Real) {
	m := r.Maintenance
	m.Ended, m.File = m.File, ""
	if virtual.NeverChecked(r) { // no check will decide
		m.Ended, r.Tally = "", policy.Tally{Since: d.now()}
		r.NoteCondition(d.now())
		d.touch(r.Virtual)
		return
	}
	since := r.Since
	if r.Verdict != policy.Down { // it was out for as long as the maintenance, and not since its checks are good
		since = m.Since
	}
	virtual.AwaitChecks(r, since)
	d.touch(r.Virtual)
	d.alwaysUp(r)
	d.checks.Soon(r.Checks...)
}
