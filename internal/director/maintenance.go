package director

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// A fileOut is the maintenance of one real server.
type fileOut struct {
	file  string    // that takes it out, "" is none
	since time.Time // meaningful while the maintenance lasts
	ended string    // the file whose maintenance is over, until a check has finished; "" is none
}

// file is the file that takes r out of service, "" is none.
func (r *real) file() string {
	if r.maintenance == nil {
		return ""
	}
	return r.maintenance.file
}

// maintained takes up a report of the maintenance directory.
func (d *Director) maintained(r maintenance.Report) {
	for _, line := range maintenance.News(r.State, d.maintenance) {
		d.o.Log("%s", line)
	}
	d.maintenance = r.State
	d.maintain(r.Out)
}

// maintain takes real servers out, and has those asked that may come back.
func (d *Director) maintain(out map[netip.AddrPort]string) {
	for _, v := range d.virtuals {
		for _, r := range v.reals {
			file := out[r.conf.AddrPort()]
			switch {
			case file == r.file():
			case file == "":
				d.backToWork(r)
			default:
				d.takeOut(r, file)
			}
		}
	}
}

// keepOut keeps out of service what was not in service before.
func (v *virtual) keepOut(out map[netip.AddrPort]string, now time.Time) {
	for _, r := range v.reals {
		if file := out[r.conf.AddrPort()]; file != "" && r.Verdict == policy.Unchecked {
			r.beginMaintenance(file, now)
		}
	}
}

// beginMaintenance notes the file that takes r out, and since when one does.
func (r *real) beginMaintenance(file string, now time.Time) {
	r.beginConditions()
	if r.maintenance == nil {
		r.maintenance = &fileOut{since: now}
	}
	if m := r.maintenance; m.file == "" && m.ended == "" { // else it has been out since the file before
		m.since = now
	}
	r.maintenance.file, r.maintenance.ended = file, ""
	r.noteCondition(now)
}

func (d *Director) takeOut(r *real, file string) {
	wasIn := r.in()
	r.beginMaintenance(file, d.now())
	d.touch(r.virtual) // a drained one leaves the table, too
	if wasIn {
		e := r.event(event.Gone)
		e.Reason = "in maintenance: file " + file
		e.Cause = &event.Cause{Kind: event.CauseMaintenance, Detail: e.Reason}
		r.virtual.moved(r, false, e.Cause)
		d.changed(r, e)
	} else { // it may be in the table with weight 0
		d.touch(r.virtual)
	}
}

// backToWork lets the next check decide, at once. Until then it is out for
// maintenance.
func (d *Director) backToWork(r *real) {
	m := r.maintenance
	m.ended, m.file = m.file, ""
	if r.virtual.conf.CheckType == conf.CheckOff { // no check will decide
		m.ended, r.Tally = "", policy.Tally{Since: d.now()}
		r.noteCondition(d.now())
		d.touch(r.virtual)
		return
	}
	since := r.Since
	if r.Verdict != policy.Down { // it was out for as long as the maintenance, and not since its checks are good
		since = m.since
	}
	r.Tally = policy.Tally{Verdict: policy.Down, Since: since, Failures: r.virtual.limits.Fall, Successes: r.virtual.limits.Rise - 1}
	d.touch(r.virtual)
	d.alwaysUp(r)
	if r.check != nil {
		d.checks.soon(r.check)
	}
}

// maintenanceOver says whether the maintenance of r is over and no check has said
// yet how it is: until one does it is out for maintenance.
func (r *real) maintenanceOver() bool { return r.maintenance != nil && r.maintenance.ended != "" }

// endMaintenance is the maintenance that ended before this check of r, the first
// one since; nil is none.
func (r *real) endMaintenance() *event.Cause {
	if !r.maintenanceOver() {
		return nil
	}
	c := &event.Cause{Kind: event.CauseMaintenance, Detail: "maintenance by file " + r.maintenance.ended + " is over"}
	r.maintenance.ended = ""
	return c
}
