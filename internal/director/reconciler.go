package director

import (
	"cmp"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A reconciler keeps the kernel's table in step with the virtual services, and reports what
// happened. It is owned by the goroutine of Run.
type reconciler struct {
	kernel    table.Kernel
	sink      func(event.Event)
	history   *event.History
	addresses *virtual.Addresses
	entered   func(*virtual.Service) // called after a virtual service was brought into the kernel
	judged    func(*virtual.Service) // called after a decision about a virtual service
	turn      time.Time              // see now
	conf      *conf.Config
	status    conf.Status
	virtuals  []*virtual.Service // in the order of the file
	awaiting  int                // virtual services whose first checks go on
	dirty     []*virtual.Service // to sync when all results are in
	retried   time.Time          // when refused changes were last tried again beside driftcheck
	reread    time.Time          // when the table was last read again for what a reload has added
}

// now returns the time at which this turn of the loop began: all of a turn
// happens at one moment, and costs one look at the clock. It is for the
// goroutine that owns the state.
func (rc *reconciler) now() time.Time {
	if rc.turn.IsZero() {
		rc.turn = time.Now()
	}
	return rc.turn
}

// touch has v synced when all results are in.
func (rc *reconciler) touch(v *virtual.Service) {
	if !v.Dirty {
		v.Dirty = true
		rc.dirty = append(rc.dirty, v)
	}
}

// syncDirty makes the kernel agree with all virtual services that were touched.
func (rc *reconciler) syncDirty() {
	if len(rc.dirty) == 0 {
		return
	}
	slices.SortFunc(rc.dirty, func(a, b *virtual.Service) int { return cmp.Compare(a.Order, b.Order) })
	rc.sync(rc.dirty...)
	for _, v := range rc.dirty {
		v.Dirty = false
	}
	clear(rc.dirty) // those of an earlier configuration are not kept in memory
	rc.dirty = rc.dirty[:0]
}

// enter brings one virtual service into the kernel. adopted is whether it was
// there, with other settings.
func (rc *reconciler) enter(v *virtual.Service, adopted bool, last *virtual.LastReals) {
	rc.enterService(v)
	rc.announce(v, last)
	rc.sync(v)
	if adopted && v.Invalid == nil && v.Actual.Service.Same(v.Service) {
		rc.emit(v, event.Event{Kind: event.VirtualChanged})
	}
	rc.entered(v)
}

// enterService brings the service itself into the kernel, so that the log names
// it before its real servers.
func (rc *reconciler) enterService(v *virtual.Service) {
	if v.Hopeless() {
		return
	}
	for _, s := range table.PlanService(v.Actual, v.WantedService()) {
		rc.apply(v, s)
	}
}

// purge deletes a virtual service with all that belongs to it. It reports false if
// the kernel refuses that.
func (rc *reconciler) purge(v *virtual.Service, phase string) bool {
	if !v.Actual.Present {
		return true
	}
	c := table.Step{Change: ipvs.Change{Op: ipvs.DeleteService, Service: ipvs.Service{Key: v.Service.Key}}}
	if rc.kernel.Apply(&c); c.Err != nil {
		rc.emit(v, event.Event{Kind: event.Refused, Reason: c.Err.Error()})
		return false
	}
	for _, r := range v.Reals {
		if _, held := v.Actual.Slots.Of(r.At()); held && phase == "stop" && r.In() {
			rc.emit(v, event.Event{Kind: event.RealPurged, Real: r.Conf, R: r.Name(), Phase: phase})
		}
	}
	rc.emit(v, event.Event{Kind: event.VirtualPurged, Phase: phase})
	v.Actual = table.State{}
	return true
}

// believed is the table as it is believed to be.
func (rc *reconciler) believed() []ipvs.Entry {
	var entries []ipvs.Entry
	for _, v := range rc.virtuals {
		if !v.Actual.Present {
			continue
		}
		e := ipvs.Entry{Service: v.Actual.Service}
		for _, s := range v.Actual.Slots {
			e.Destinations = append(e.Destinations, s.Destination())
		}
		entries = append(entries, e)
	}
	return entries
}
