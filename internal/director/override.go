package director

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// Obey carries an order out for all real servers that it means. It returns how
// each of them is now, and all overrides that are in force now, for the caller
// to keep. The error is report.ErrPending beside these if ctx was done before the kernel
// agreed, and any other if the order is not in force: ctx's, if ctx was done before the
// order had its turn.
func (d *Director) Obey(ctx context.Context, o report.Order) (obeyed, all []report.Override, err error) {
	if err := o.Check(); err != nil {
		return nil, nil, err
	}
	if o.Verb == report.Weight && o.Weight == 0 && o.Percent == 0 {
		o.Verb = report.Drain
	}
	inForce, agreed := make(chan struct{}), make(chan struct{})
	call := func() {
		if err = ctx.Err(); err == nil {
			obeyed, err = d.obey(o, d.now())
			all = d.Overrides()
		}
		close(inForce)
		d.settle()
		close(agreed)
	}
	select {
	case d.calls <- call:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	<-inForce // at once: no kernel is asked before
	if err != nil {
		return nil, nil, err
	}
	select {
	case <-agreed:
		return obeyed, all, nil
	case <-ctx.Done():
		return obeyed, all, report.ErrPending
	}
}

func (d *Director) obey(o report.Order, now time.Time) ([]report.Override, error) {
	if report.OfAddress(o.Verb) {
		return obeyForAddresses(&d.reconciler, o, now, d.overrides, d.o.Log)
	}
	var targets []report.Target
	hosts := map[report.Target]string{}
	for _, r := range d.meant(o.Real, o.Virtual) {
		t := r.Target()
		if targets = append(targets, t); hostOf(r, o) != "" {
			hosts[t] = r.Conf.Host
		} else {
			d.overrides.unname(t.Virtual, r.Conf.Host)
		}
	}
	if o.Verb == report.Enable && len(targets) == 0 {
		targets = forgotten(d, o)
	}
	if len(targets) == 0 {
		return nil, d.notConfigured(o.Real, o.Virtual)
	}
	var obeyed []report.Override
	for _, t := range targets {
		over := report.Override{Verb: o.Verb, Virtual: t.Virtual, Real: t.Real, Since: now, Comment: o.Comment, By: o.By, Host: hosts[t]}
		if o.Verb == report.Weight {
			over.Weight, over.Percent = o.Weight, o.Percent
		}
		if o.For > 0 {
			over.Until = now.Add(o.For)
		}
		stays, why := "", over.String()
		if o.Verb == report.Enable || o.Verb == report.Weight {
			stays = d.staysOut(t, o.Verb)
		}
		if o.Verb == report.Enable {
			stays = cmp.Or(stays, d.overrides.ofFile(t))
		}
		if stays != "" {
			why += "; " + stays
		}
		d.override(t, over, why)
		if o.Verb == report.Enable {
			d.dampings.forget(t, o.By)
			d.leavings.enable(t, o.By, why)
		}
		over.Remark = stays
		obeyed = append(obeyed, over)
	}
	d.overrides.publish()
	return obeyed, nil
}

// staysOut returns why a real server stays out of service that an order lets in, ""
// if it does not.
func (rc *reconciler) staysOut(t report.Target, verb string) string {
	for _, v := range rc.virtuals {
		if v.ID != t.Virtual {
			continue
		}
		for _, r := range v.Reals {
			isDown := r.Verdict == policy.Down && !r.Kept
			switch {
			case r.Name() != t.Real, verb == report.Enable && r.WouldBeUp() && r.File() == "": // enable ends its damping
			case verb == report.Enable && r.Damped() && isDown && r.File() == "":
				return "it stays out of service: " + r.LastError()
			case r.File() != "" || isDown || r.IsOff() || verb == report.Weight && virtual.Waits(r):
				return "it stays out of service: " + r.OutWithoutOrder()
			}
		}
	}
	return ""
}

// meant is the real servers of that name, "" being all, of the virtual services
// that are called service.
func (rc *reconciler) meant(name, service string) []*virtual.Real {
	var found []*virtual.Real
	for _, v := range rc.virtuals {
		if service != "" && !v.Called(service) {
			continue
		}
		for _, r := range v.Reals {
			if name == "" || r.Called(name) {
				found = append(found, r)
			}
		}
	}
	return found
}

// notConfigured is the error that meant finds none. The name of a virtual service in the place of a real server's has
// its cure.
func (rc *reconciler) notConfigured(name, service string) error {
	err := report.NotConfigured(name, service)
	if name != "" && service == "" && slices.ContainsFunc(rc.virtuals, func(v *virtual.Service) bool { return v.Called(name) }) {
		return fmt.Errorf("%w, but a virtual service is: name one of its real servers (history and recheck take --virtual %s alone)", err, name)
	}
	return err
}

// override puts an override in force, or ends one, and reports why.
func (d *Director) override(t report.Target, o report.Override, why string) {
	before := d.overrides.set(t, o)
	for _, v := range d.virtuals {
		if v.ID != t.Virtual {
			continue
		}
		for _, r := range v.Reals {
			_, byHand := v.External[r.At()]
			if r.Name() == t.Real && (o.Verb != report.Enable || before || byHand || r.Damped() || virtual.Waits(r)) {
				d.emit(v, event.Event{Kind: event.Ordered, Real: r.Conf, R: r.Name(), Reason: why, Cause: d.overruled(r, o, why)})
			}
		}
	}
}

// overruled takes over the override that r has since the order o, and returns the order as
// the cause of what follows. It ends external changes of r's destination.
func (d *Director) overruled(r *virtual.Real, o report.Override, why string) *event.Cause {
	wasIn := r.In()
	r.BeginConditions()
	r.Override = d.overrides.of(r)
	if e := virtual.FollowOrder(r, d.now()); e != nil {
		r.Virtual.News = append(r.Virtual.News, *e)
	}
	r.NoteCondition(d.now())
	delete(r.Virtual.External, r.At())
	d.touch(r.Virtual)
	cause := &event.Cause{Kind: event.CauseOrder, By: o.By, Detail: why}
	if isIn := r.In(); isIn != wasIn {
		r.Virtual.Moved(r, isIn, cause)
	}
	return cause
}

// overrule takes over the overrides at the start and after a reload.
func (d *Director) overrule() {
	for r := range d.overrides.concerned(d.virtuals) {
		r.Override = d.overrides.of(r)
	}
	for t, o := range d.overrides.byTarget {
		if addr, err := netip.ParseAddr(t.Virtual); err == nil && o.Verb == report.Withdraw {
			d.addresses.Withdraw(addr, &o)
		}
	}
}

// obeyForAddresses carries out an order for virtual addresses.
func obeyForAddresses(rc *reconciler, o report.Order, now time.Time, in *overrides, log func(string, ...any)) ([]report.Override, error) {
	addrs := rc.addresses.Called(o.Virtual)
	if len(addrs) == 0 {
		return nil, report.NoSuchAddress(o.Virtual)
	}
	var obeyed []report.Override
	for _, addr := range addrs {
		over := report.Override{Verb: o.Verb, Virtual: addr.String(), Since: now, Comment: o.Comment, By: o.By}
		if o.For > 0 {
			over.Until = now.Add(o.For)
		}
		if o.Verb == report.Withdraw {
			in.set(over.Target(), over)
			kept := over
			rc.addresses.Withdraw(addr, &kept)
		} else {
			in.set(over.Target(), report.Override{Verb: report.Enable})
			rc.addresses.Withdraw(addr, nil)
		}
		log("Virtual address %s: %s", addr, over)
		obeyed = append(obeyed, over)
	}
	in.publish()
	return obeyed, nil
}

// endWithdrawal ends an order whose time is over.
func endWithdrawal(rc *reconciler, o report.Override, in *overrides, log func(string, ...any)) {
	in.set(o.Target(), report.Override{Verb: report.Enable})
	if addr, err := netip.ParseAddr(o.Virtual); err == nil {
		rc.addresses.Withdraw(addr, nil)
	}
	log("Virtual address %s: announce: the time is over of %s", o.Virtual, o)
}

// endOverrides ends those whose time has come.
func (d *Director) endOverrides(now time.Time) {
	ended := false
	for _, o := range d.Overrides() {
		if !o.Until.IsZero() && !now.Before(o.Until) {
			if report.OfAddress(o.Verb) {
				endWithdrawal(&d.reconciler, o, d.overrides, d.o.Log)
				ended = true
				continue
			}
			d.override(o.Target(), report.Override{Verb: report.Enable, By: o.By}, "enable: the time is over of "+o.String())
			ended = true
		}
	}
	if !ended {
		return
	}
	if d.overrides.publish(); d.o.OverridesEnded != nil {
		d.o.OverridesEnded()
	}
}

// Overrides returns all overrides in force, in a lasting order. It never blocks and may be
// called from any goroutine, before Run and after it too.
func (d *Director) Overrides() []report.Override { return *d.overrides.published.Load() }

// overrides are the orders that are in force.
type overrides struct {
	byTarget  map[report.Target]report.Override
	files     map[netip.AddrPort]maintenance.Order // of maintenancedir, not an operator's; nil is none
	published atomic.Pointer[[]report.Override]    // for any goroutine
}

func newOverrides(list []report.Override, now time.Time) *overrides {
	o := &overrides{byTarget: overridesByTarget(list, now)}
	o.publish()
	return o
}

// set puts an override in force, or ends one, and reports whether there was one. publish
// follows.
func (o *overrides) set(t report.Target, over report.Override) (before bool) {
	_, before = o.byTarget[t]
	if over.Verb == report.Enable {
		delete(o.byTarget, t)
	} else {
		o.byTarget[t] = over
	}
	return before
}

// publish lets readers have what set has changed.
func (o *overrides) publish() {
	list := o.list()
	o.published.Store(&list)
}

// of is the override of r, nil is none.
func (o *overrides) of(r *virtual.Real) *report.Override {
	over, ok := o.byTarget[r.Target()]
	if !ok {
		return o.byFile(r)
	}
	kept := over // a copy of its own, so that only real servers with an override cost memory
	return &kept
}

// concerned is the real servers of the virtual services that have overrides.
func (o *overrides) concerned(virtuals []*virtual.Service) iter.Seq[*virtual.Real] {
	ids := make(map[string]bool, len(o.byTarget))
	for t := range o.byTarget {
		ids[t.Virtual] = true
	}
	return func(yield func(*virtual.Real) bool) {
		for _, v := range virtuals {
			if !ids[v.ID] && len(o.files) == 0 {
				continue
			}
			for _, r := range v.Reals {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// unused are the overrides of real servers in no configuration.
func (o *overrides) unused(virtuals []*virtual.Service) []report.Override {
	list := o.list()
	if len(list) == 0 {
		return nil
	}
	used := map[report.Target]bool{}
	for r := range o.concerned(virtuals) {
		used[r.Target()] = true
	}
	return slices.DeleteFunc(list, func(over report.Override) bool { return used[over.Target()] })
}

// forgotten are overrides of real servers that have left the configuration, by address or by
// address and port.
func (o *overrides) forgotten(order report.Order) []report.Target {
	var found []report.Target
	for t := range o.byTarget {
		if meansForgotten(order, t) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b report.Target) int { return strings.Compare(a.Virtual+" "+a.Real, b.Virtual+" "+b.Real) })
	return found
}

// meansForgotten reports whether an order means a real server that has left the configuration.
func meansForgotten(order report.Order, t report.Target) bool {
	at, err := netip.ParseAddrPort(t.Real)
	meant := order.Real == t.Real || err == nil && report.RealCalled(at, "", order.Real)
	return meant && (order.Virtual == "" || order.Virtual == t.Virtual || order.Virtual == event.ShortID(t.Virtual))
}

// list is all overrides, in a lasting order.
func (o *overrides) list() []report.Override {
	list := make([]report.Override, 0, len(o.byTarget))
	for _, over := range o.byTarget {
		list = append(list, over)
	}
	slices.SortFunc(list, func(a, b report.Override) int {
		return strings.Compare(a.Virtual+" "+a.Real, b.Virtual+" "+b.Real)
	})
	return list
}

// overridesByTarget is a list of overrides, without those that are over. From now on
// their ends do not depend on what the clock is set to.
func overridesByTarget(list []report.Override, now time.Time) map[report.Target]report.Override {
	byTarget := make(map[report.Target]report.Override, len(list))
	for _, o := range list {
		if !o.Until.IsZero() {
			left := o.Until.Sub(now)
			if left <= 0 {
				continue
			}
			o.Until = now.Add(left)
		}
		byTarget[o.Target()] = o
	}
	return byTarget
}
