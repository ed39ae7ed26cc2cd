package director

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"ldirectord/conf"
	"ldirectord/internal/schedule"
	"ldirectord/ipvs"
)

// retryInterval is how often refused changes are tried again with driftcheck
// off.
const retryInterval = 5 * time.Second

// load makes cfg the configuration, at the start and at every reload. What the
// checks know and what the kernel holds is kept, so that a file that says the
// same as before changes nothing.
func (d *Director) load(cfg *conf.Config, status conf.Status) {
	d.conf, d.status, d.loaded = cfg, status, d.now()
	entries, _ := d.read()
	old := make(map[ipvs.Key]*virtual, len(d.virtuals))
	for _, v := range d.virtuals {
		old[v.service.Key] = v
	}
	d.virtuals = make([]*virtual, 0, len(cfg.Virtuals))
	clear(d.dirty)
	for _, c := range cfg.Virtuals {
		v := newVirtual(c, d.now())
		if o := old[v.service.Key]; o != nil {
			v.inherit(o)
			delete(old, v.service.Key)
		}
		d.virtuals = append(d.virtuals, v)
	}
	d.overrule()
	last := d.lastIdentities()
	out := lookup(cfg, nil)
	for _, v := range d.virtuals {
		d.enter(v, entries, last, out)
	}
	for _, v := range old {
		d.purge(v, "start")
	}
	d.recheck()
	d.settle()
	d.drift.Reset(cmp.Or(cfg.DriftCheck, retryInterval))
	d.maint.watch(cfg)
}

// enter brings one virtual service into the kernel. out is who is in
// maintenance.
func (d *Director) enter(v *virtual, entries map[ipvs.Key]ipvs.Entry, last map[string]identity, out map[netip.AddrPort]string) {
	e, ok := entries[v.service.Key]
	if ok {
		v.adopt(e)
	}
	v.keepOut(out)
	d.enterService(v)
	d.announce(v, last)
	d.sync(v)
	if ok {
		d.emit(v, Event{Kind: VirtualChanged})
	}
	for _, r := range v.reals {
		d.alwaysUp(r)
	}
}

// enterService brings the service itself into the kernel, so that the log names
// it before its real servers.
func (d *Director) enterService(v *virtual) {
	if v.invalid != nil {
		return
	}
	for _, s := range plan(v.have, v.want()) {
		if s.Op == ipvs.AddService || s.Op == ipvs.EditService {
			d.apply(v, s)
		}
	}
}

// recheck makes the checks those of the present virtual services. A question
// that was asked before goes on being asked in its rhythm.
func (d *Director) recheck() {
	old := d.checks
	d.checks = make(map[question]*check, len(old))
	clear(d.unheard)
	clear(d.byAddr)
	for _, v := range d.virtuals {
		for _, r := range v.reals {
			if q, ok := ask(v.conf, r.conf); ok {
				d.join(d.checkFor(q, old), r)
			}
		}
	}
	d.sched.Add(d.fresh...) // together, so that the schedule sees how many they are
	d.fresh = nil
	for q, c := range old {
		if d.checks[q] == nil {
			d.sched.Remove(c.job)
		}
	}
}

// checkFor is the check that asks q: one of this file, else the one that asked
// it before, else a new one.
func (d *Director) checkFor(q question, old map[question]*check) *check {
	if c := d.checks[q]; c != nil {
		return c
	}
	c := old[q]
	if c != nil {
		c.users = nil
	} else {
		c = d.newCheck(q)
	}
	d.checks[q] = c
	d.byAddr[q.at.Addr()] = append(d.byAddr[q.at.Addr()], c)
	return c
}

func (d *Director) newCheck(q question) *check {
	c := &check{question: q, secrets: q.secrets()}
	c.ask, c.connect = d.workshop.checkers(q, c.expires)
	c.job = &schedule.Job{Interval: q.interval, Run: func(ctx context.Context) { d.run(ctx, c) }}
	d.unheard[c] = true
	d.fresh = append(d.fresh, c.job)
	return c
}

// join has c asked for r too, at once if nothing is known of r.
func (d *Director) join(c *check, r *real) {
	c.users = append(c.users, r)
	r.check = c
	if r.verdict == unproven {
		d.sched.Soon(c.job)
	}
}

// heardAll ends the start or the reload when every new check has answered
// once.
func (d *Director) heardAll() {
	if len(d.unheard) == 0 {
		d.status = conf.Running
	}
}

// stop ends the checks and takes out of the kernel what cleanstop says.
func (d *Director) stop() {
	d.status = conf.Stopping
	for _, v := range d.virtuals {
		if v.conf.CleanStop {
			d.purge(v, "stop")
		}
	}
}

// purge deletes a virtual service with all that belongs to it.
func (d *Director) purge(v *virtual, phase string) {
	if !v.have.present {
		return
	}
	c := step{Change: ipvs.Change{Op: ipvs.DeleteService, Service: v.service}}
	if err := d.change(&c); err != nil {
		d.emit(v, Event{Kind: Refused, Reason: err.Error()})
		return
	}
	for _, r := range v.reals {
		if _, held := v.have.slots[r.dst.AddrPort]; held && phase == "stop" && r.in() {
			d.emit(v, Event{Kind: RealPurged, Real: r.conf, R: r.name, Phase: phase})
		}
	}
	d.emit(v, Event{Kind: VirtualPurged, Phase: phase})
}
