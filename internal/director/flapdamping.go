package director

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// dampings are the real servers that flapdamping keeps out of service. They are owned by the
// director's goroutine.
type dampings struct {
	d         *Director
	restored  map[report.Target]state.Damped // of the last daemon, not yet taken up
	published atomic.Pointer[[]state.Damped] // for any goroutine
	changed   func()                         // see Options.DampedChanged; nil is none
}

func newDampings(d *Director) *dampings {
	p := &dampings{d: d, restored: map[report.Target]state.Damped{}, changed: d.o.DampedChanged}
	for _, s := range d.o.Damped {
		p.restored[report.Target{Virtual: s.Virtual, Real: s.Real}] = s
	}
	return p
}

// Damped returns what the next daemon has to know of flapdamping. It never blocks and may be
// called from any goroutine.
func (d *Director) Damped() []state.Damped {
	if list := d.dampings.published.Load(); list != nil {
		return *list
	}
	return d.o.Damped
}

// restore keeps the real servers of v out of service that the last daemon kept out. It does so
// once for each: v may be unread or new at the start.
func (p *dampings) restore(v *virtual.Service) {
	if len(p.restored) == 0 {
		return
	}
	for _, r := range v.Reals {
		if s, ok := p.restored[r.Target()]; ok {
			delete(p.restored, r.Target())
			r.Damp(s, p.d.now())
		}
	}
}

// limitsOf are the limits for the next result of r: no number of good checks makes one up that
// flapdamping keeps out.
func limitsOf(r *virtual.Real) policy.Limits {
	limits := r.Virtual.Limits
	if r.Damped() {
		limits.Rise = math.MaxInt32
	}
	return limits
}

// damp counts that the checks have made r go down, and returns the event of it if that is once too
// often. What an operator has taken out does not count.
func (p *dampings) damp(r *virtual.Real) []event.Event {
	f := r.Virtual.Conf.FlapDamping
	if !f.On() || r.Out() || virtual.Waits(r) {
		return nil
	}
	var before policy.Damping
	if known := r.Damping(); known != nil {
		before = *known
	}
	after := before.Down(f, r.Virtual.UpBeside(r) >= policy.Need(r.Virtual.Conf), p.d.now())
	r.Virtual.SetDamping(r, &after)
	if !r.Damped() {
		return nil
	}
	p.publish()
	e := r.Event(event.Damped)
	e.Reason = r.DampedWords()
	return []event.Event{e}
}

// letIn ends the damping of those real servers of virtual services that are needed, as
// too few others are up and in service.
func (p *dampings) letIn(virtuals []*virtual.Service) {
	for _, v := range virtuals {
		if !v.Conf.FlapDamping.On() {
			continue
		}
		if v.Joint.Joins() { // which others are in service follows from what has changed
			p.d.judge(v)
		}
		for r := v.NeedsDamped(); r != nil; r = v.NeedsDamped() {
			p.end(r, "too few others are in service")
		}
	}
}

// endOver ends those whose time is over.
func (p *dampings) endOver(now time.Time) {
	for _, v := range p.d.virtuals {
		if !v.Conf.FlapDamping.On() {
			continue
		}
		for _, r := range v.Reals {
			if r.Damping().Now() && !now.Before(r.Damping().Until) {
				p.end(r, "its time is over")
			}
		}
	}
}

// end lets r into service if its checks are good, and leaves it to them otherwise.
func (p *dampings) end(r *virtual.Real, why string) {
	isUp := r.WouldBeUp() && r.File() == ""
	after := r.Damping().Ended()
	r.Virtual.SetDamping(r, &after)
	p.publish()
	e := r.Event(event.DampingOver)
	e.Reason = why
	p.d.emit(r.Virtual, e)
	p.d.touch(r.Virtual)
	if isUp {
		before := r.Tally
		r.Verdict, r.Since, r.Successes = policy.Up, p.d.now(), 0
		var drain virtual.DrainNews
		if s := r.SelfDrain(); s != nil {
			drain = virtual.TakeDrain(r, s.Now, false, s.Answer, p.d.now())
		}
		p.d.transition(r, before, &checks.Result{At: p.d.now()}, change{drain: drain})
	}
	for _, c := range r.Checks {
		p.d.checks.Repace(c)
	}
}

// forget ends the damping of the real servers of t by an operator's enable.
func (p *dampings) forget(t report.Target, by string) {
	for _, r := range p.d.meant(t.Real, t.Virtual) {
		if r.Damping() == nil {
			continue
		}
		if r.Damped() {
			p.end(r, "enable by "+by)
		}
		r.Virtual.SetDamping(r, nil)
		p.publish()
	}
}

// publish makes the list of Damped, after a change.
func (p *dampings) publish() {
	list := []state.Damped{}
	for _, v := range p.d.virtuals {
		if !v.Conf.FlapDamping.On() {
			continue
		}
		list = append(list, v.Remembered()...)
	}
	p.published.Store(&list)
	if p.changed != nil {
		p.changed()
	}
}
