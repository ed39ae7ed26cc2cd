package director

import (
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// retryInterval is how often refused changes are tried again where driftcheck
// does not do it sooner.
const retryInterval = 5 * time.Second

// A prepared configuration has all that can be done, and that can fail, before the swap.
type prepared struct {
	conf     *conf.Config
	virtuals []*virtual.Service // in the order of the file
	files    maintenance.Taken
}

func prepare(cfg *conf.Config, files maintenance.Taken, now time.Time) *prepared {
	p := &prepared{conf: cfg, virtuals: make([]*virtual.Service, len(cfg.Virtuals)), files: files}
	for i, c := range cfg.Virtuals {
		p.virtuals[i] = virtual.New(c, i, now)
	}
	return p
}

// carryOver takes over the states of the earlier virtual services. It returns those that
// have left the configuration.
func (p *prepared) carryOver(virtuals []*virtual.Service) (gone []*virtual.Service) {
	old := make(map[ipvs.Key]*virtual.Service, len(virtuals))
	for _, v := range virtuals {
		old[v.Service.Key] = v
	}
	for _, v := range p.virtuals {
		if o := old[v.Service.Key]; o != nil {
			v.Inherit(o)
			delete(old, v.Service.Key)
		}
	}
	for _, v := range virtuals {
		if old[v.Service.Key] == v {
			gone = append(gone, v)
		}
	}
	return gone
}

// load brings a prepared configuration into force, at the start and at every reload: it is
// swapped in, its checks begin, and the kernel is reconciled with it. The results of checks
// and the kernel's state are carried over, so that a file without changes changes nothing.
// entries is the kernel's table; at a reload it may not be readable, and the believed one
// counts.
func (d *Director) load(p *prepared, status conf.Status, entries map[ipvs.Key]*ipvs.Entry, readable bool) {
	gone := d.swap(p, status, entries, readable)
	d.checks.Use(d.virtuals) // results come while the table is written
	d.leavings.begin()
	d.dampings.letIn(d.virtuals)
	d.reconcile(gone)
	d.settle()
	d.own.note(d.virtuals, false)
	if d.drift.Stop(); p.conf.DriftCheck > 0 {
		d.drift.Reset(p.conf.DriftCheck)
	}
	d.watcher.Watch(p.conf)
}

// swap makes p's virtual services the present ones, with the states of the earlier ones. It
// returns the earlier ones that p does not have.
func (d *Director) swap(p *prepared, status conf.Status, entries map[ipvs.Key]*ipvs.Entry, readable bool) (gone []*virtual.Service) {
	d.conf, d.status, d.loaded, d.awaiting = p.conf, status, d.now(), 0
	d.kernel.ReaddQuiescent = p.conf.ReaddQuiescent
	if !readable {
		entries = table.ByKey(d.believed())
		markUnread(p.virtuals, d.virtuals)
	}
	gone = append(p.carryOver(d.virtuals), d.own.take(p.virtuals, entries, readable)...)
	d.virtuals = p.virtuals
	clear(d.dirty)
	d.dirty = d.dirty[:0]
	followNames(d, p.conf)
	d.overrides.files = p.files.Orders
	d.overrule()
	for _, v := range d.virtuals {
		if !v.Same {
			v.Find(entries[v.Service.Key], readable)
		}
		d.dampings.restore(v)
		v.KeepOut(p.files.Out, d.now())
		v.MovedByReload()
	}
	d.leavings.restore()
	d.addresses.Use(d.virtuals, status == conf.Starting, d.now())
	return gone
}

// reconcile brings the virtual services into the kernel, and takes out those that are gone.
func (d *Director) reconcile(gone []*virtual.Service) {
	last := &virtual.LastReals{Virtuals: d.virtuals}
	for _, v := range d.virtuals {
		d.awaitFirst(v)
		if !v.Unread {
			d.enter(v, v.Actual.Present && !v.Same, last)
		}
	}
	for _, v := range gone {
		if !d.purge(v, "start") {
			d.own.left = append(d.own.left, v)
		}
	}
}

// settle makes the kernel agree with all results so far. The start or the reload ends when
// every new check has finished once.
func (d *Director) settle() {
	d.dampings.letIn(d.dirty) // those that it touches are among them
	d.syncDirty()
	d.leavings.publish()
	d.addresses.Settle(d.now())
	if d.checks.Unfinished == 0 {
		d.status = conf.Running
	}
}

// stop ends the checks and takes virtual services with cleanstop out of the kernel, none
// after Leave.
func (d *Director) stop() {
	d.status = conf.Stopping
	if d.own.leaving.Load() {
		return
	}
	for _, v := range d.virtuals {
		if v.Conf.CleanStop && d.purge(v, "stop") && v.Conf.StopCommands {
			d.reportEnd(v)
		}
	}
}
