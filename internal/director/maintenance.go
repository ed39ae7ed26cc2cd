package director

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
)

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
			case file == r.maintenance:
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
		if file := out[r.conf.AddrPort()]; file != "" && r.verdict == unproven {
			r.beginMaintenance(file, now)
		}
	}
}

// beginMaintenance notes the file that takes r out, and since when one does.
func (r *real) beginMaintenance(file string, now time.Time) {
	r.beginConditions()
	if r.maintenance == "" && r.turns.ended == "" { // else it has been out since the file before
		r.turns.outSince = now
	}
	r.maintenance, r.turns.ended = file, ""
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
	r.turns.ended, r.maintenance = r.maintenance, ""
	if r.virtual.conf.CheckType == conf.CheckOff { // no check will decide
		r.turns.ended, r.tally = "", tally{since: d.now()}
		r.noteCondition(d.now())
		d.touch(r.virtual)
		return
	}
	since := r.since
	if r.verdict != down { // it was out for as long as the maintenance, and not since its checks are good
		since = r.turns.outSince
	}
	r.tally = tally{verdict: down, since: since, failures: r.virtual.limits.fall, successes: r.virtual.limits.rise - 1}
	d.touch(r.virtual)
	d.alwaysUp(r)
	if r.check != nil {
		d.sched.Soon(&r.check.job)
	}
}

// maintenanceOver says whether the maintenance of r is over and no check has said
// yet how it is: until one does it is out for maintenance.
func (r *real) maintenanceOver() bool { return r.turns != nil && r.turns.ended != "" }

// endMaintenance is the maintenance that ended before this check of r, the first
// one since; nil is none.
func (r *real) endMaintenance() *event.Cause {
	if !r.maintenanceOver() {
		return nil
	}
	c := &event.Cause{Kind: event.CauseMaintenance, Detail: "maintenance by file " + r.turns.ended + " is over"}
	r.turns.ended = ""
	return c
}
