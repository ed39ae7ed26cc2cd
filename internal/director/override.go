package director

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

func (r *real) target() report.Target { return report.Target{Virtual: r.virtual.id, Real: r.name()} }

// Obey carries an order out for all real servers that it means. It returns how
// each of them stands, and all overrides that are in force now, for the caller
// to keep.
func (d *Director) Obey(ctx context.Context, o report.Order) (obeyed, all []report.Override, err error) {
	if err := o.Check(); err != nil {
		return nil, nil, err
	}
	if o.Verb == report.Weight && o.Weight == 0 {
		o.Verb = report.Drain
	}
	asked := d.do(ctx, func() {
		if obeyed, err = d.obey(o, d.now()); err == nil {
			all = d.overrideList()
		}
	})
	return obeyed, all, errors.Join(asked, err)
}

func (d *Director) obey(o report.Order, now time.Time) ([]report.Override, error) {
	targets := d.targets(o.Real, o.Virtual)
	if o.Verb == report.Enable && len(targets) == 0 {
		targets = d.forgotten(o)
	}
	if len(targets) == 0 {
		return nil, report.NotConfigured(o.Real, o.Virtual)
	}
	var obeyed []report.Override
	for _, t := range targets {
		over := report.Override{Verb: o.Verb, Virtual: t.Virtual, Real: t.Real, Since: now, Comment: o.Comment, By: o.By}
		if o.Verb == report.Weight {
			over.Weight = o.Weight
		}
		if o.For > 0 {
			over.Until = now.Add(o.For)
		}
		why := over.String()
		if stays := d.staysOut(t); stays != "" && (o.Verb == report.Enable || o.Verb == report.Weight) {
			why += "; " + stays
			d.override(t, over, why)
			over.Remark = stays
		} else {
			d.override(t, over, why)
		}
		obeyed = append(obeyed, over)
	}
	return obeyed, nil
}

// staysOut says why a real server stays out of service that an order lets in, ""
// if it does not.
func (d *Director) staysOut(t report.Target) string {
	for _, v := range d.virtuals {
		if v.id != t.Virtual {
			continue
		}
		for _, r := range v.reals {
			switch {
			case r.name() != t.Real:
			case r.file() != "" || r.Verdict == policy.Down && !r.kept || r.virtual.conf.CheckType == conf.CheckOff && r.Verdict == policy.Unchecked:
				return "it stays out of service: " + r.outWithoutOrder()
			}
		}
	}
	return ""
}

// targets are the configured real servers that are meant by words.
func (d *Director) targets(called, virtual string) []report.Target {
	var found []report.Target
	for _, r := range d.meant(called, virtual) {
		found = append(found, r.target())
	}
	return found
}

// meant is the real servers of that name, "" being all, of the virtual services
// that are called virtual.
func (d *Director) meant(name, virtual string) []*real {
	var found []*real
	for _, v := range d.virtuals {
		if virtual != "" && !v.called(virtual) {
			continue
		}
		for _, r := range v.reals {
			if name == "" || r.called(name) {
				found = append(found, r)
			}
		}
	}
	return found
}

func (v *virtual) called(name string) bool {
	return name == v.id || name == v.name || name == v.conf.Name
}

func (r *real) called(name string) bool {
	if name == r.conf.Host || name == r.name() {
		return true
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap() == r.conf.Addr
	}
	host, port, ok := strings.Cut(name, ":")
	return ok && host == r.conf.Host && port == strconv.Itoa(int(r.conf.Port))
}

// forgotten are overrides of what is in no configuration any more, by address or by
// address and port.
func (d *Director) forgotten(o report.Order) []report.Target {
	addr, _ := netip.ParseAddr(strings.Trim(o.Real, "[]"))
	var found []report.Target
	for t := range d.overrides {
		at, err := netip.ParseAddrPort(t.Real)
		meant := o.Real == t.Real || err == nil && at.Addr() == addr.Unmap()
		if meant && (o.Virtual == "" || o.Virtual == t.Virtual || o.Virtual == event.ShortID(t.Virtual)) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b report.Target) int { return strings.Compare(a.Virtual+" "+a.Real, b.Virtual+" "+b.Real) })
	return found
}

// override puts an override in force, or ends one, and tells why.
func (d *Director) override(t report.Target, o report.Override, why string) {
	_, before := d.overrides[t]
	if o.Verb == report.Enable {
		delete(d.overrides, t)
	} else {
		d.overrides[t] = o
	}
	d.publishOverrides()
	for _, v := range d.virtuals {
		if v.id != t.Virtual {
			continue
		}
		for _, r := range v.reals {
			_, byHand := v.External[r.at()]
			if r.name() == t.Real && (o.Verb != report.Enable || before || byHand) {
				d.emit(v, event.Event{Kind: event.Ordered, Real: r.conf, R: r.name(), Reason: why, Cause: d.overruled(r, o, why)})
			}
		}
	}
}

// overruled takes over what the overrides say of r since o, and returns that as a
// cause. Whatever somebody set in the kernel for it by hand ends here.
func (d *Director) overruled(r *real, o report.Override, why string) *event.Cause {
	wasIn := r.in()
	r.beginConditions()
	r.override = d.overrideOf(r)
	r.noteCondition(d.now())
	delete(r.virtual.External, r.at())
	d.touch(r.virtual)
	cause := &event.Cause{Kind: event.CauseOrder, By: o.By, Detail: why}
	if isIn := r.in(); isIn != wasIn {
		r.virtual.moved(r, isIn, cause)
	}
	return cause
}

// overrideOf is the override of r, nil is none.
func (d *Director) overrideOf(r *real) *report.Override {
	o, ok := d.overrides[r.target()]
	if !ok {
		return nil
	}
	kept := o // which does not cost memory for those without one
	return &kept
}

// overrule takes over the overrides at the start and after a reload.
func (d *Director) overrule() {
	for r := range d.concerned() {
		r.override = d.overrideOf(r)
	}
}

// concerned is the real servers of the virtual services that have overrides.
func (d *Director) concerned() iter.Seq[*real] {
	ids := make(map[string]bool, len(d.overrides))
	for t := range d.overrides {
		ids[t.Virtual] = true
	}
	return func(yield func(*real) bool) {
		for _, v := range d.virtuals {
			if !ids[v.id] {
				continue
			}
			for _, r := range v.reals {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// endOverrides ends those whose time has come.
func (d *Director) endOverrides(now time.Time) {
	ended := false
	for t, o := range d.overrides {
		if !o.Until.IsZero() && !now.Before(o.Until) {
			d.override(t, report.Override{Verb: report.Enable, By: o.By}, "enable: the time is over of "+o.String())
			ended = true
		}
	}
	if ended && d.o.OverridesEnded != nil {
		d.o.OverridesEnded()
	}
}

// Overrides is all that is in force, in a lasting order. It never blocks and may be
// called from any goroutine, before Run and after it too.
func (d *Director) Overrides() []report.Override { return *d.inForce.Load() }

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

func (d *Director) publishOverrides() {
	list := d.overrideList()
	d.inForce.Store(&list)
}

// overrideList is all overrides, in a lasting order.
func (d *Director) overrideList() []report.Override {
	list := make([]report.Override, 0, len(d.overrides))
	for _, o := range d.overrides {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b report.Override) int {
		return strings.Compare(a.Virtual+" "+a.Real, b.Virtual+" "+b.Real)
	})
	return list
}
