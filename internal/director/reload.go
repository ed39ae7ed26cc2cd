package director

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// retryInterval is how often refused changes are tried again where driftcheck
// does not do it sooner.
const retryInterval = 5 * time.Second

// A draft is a configuration made ready to be loaded: all that can be done
// about it before the director stops listening.
type draft struct {
	conf     *conf.Config
	virtuals []*virtual.Service        // in the order of the file
	before   []*virtual.Check          // what each of their real servers was asked before, nil is nothing
	out      map[netip.AddrPort]string // who is in maintenance
}

func newDraft(cfg *conf.Config, out map[netip.AddrPort]string, now time.Time) *draft {
	f := &draft{conf: cfg, virtuals: make([]*virtual.Service, len(cfg.Virtuals)), out: out}
	reals := 0
	for i, c := range cfg.Virtuals {
		f.virtuals[i] = virtual.New(c, i, now)
		reals += len(c.Reals)
	}
	f.before = make([]*virtual.Check, reals)
	return f
}

// inherit takes over what is known of the virtual services that were there
// before. It returns those that are in the file no more.
func (f *draft) inherit(virtuals []*virtual.Service) (gone []*virtual.Service) {
	old := make(map[ipvs.Key]*virtual.Service, len(virtuals))
	for _, v := range virtuals {
		old[v.Service.Key] = v
	}
	before := f.before
	for _, v := range f.virtuals {
		if o := old[v.Service.Key]; o != nil {
			v.Inherit(o, before)
			delete(old, v.Service.Key)
		}
		before = before[len(v.Reals):]
	}
	for _, v := range virtuals {
		if old[v.Service.Key] == v {
			gone = append(gone, v)
		}
	}
	return gone
}

// load makes f's configuration the one in force, at the start and at every
// reload. What the checks know and what the kernel holds is kept, so that a file
// that says the same as before changes nothing. entries is the kernel's table; at a
// reload it may not be readable, and what is believed of it counts.
func (d *Director) load(f *draft, status conf.Status, entries map[ipvs.Key]*ipvs.Entry, readable bool) {
	d.conf, d.status, d.loaded, d.awaiting = f.conf, status, d.now(), 0
	d.kernel.ReaddQuiescent = f.conf.ReaddQuiescent
	if !readable {
		entries = table.ByKey(d.believed())
		markUnread(f.virtuals, d.virtuals)
	}
	gone := append(f.inherit(d.virtuals), d.own.take(f.virtuals, entries, readable)...)
	d.virtuals = f.virtuals
	clear(d.dirty)
	d.dirty = d.dirty[:0]
	d.overrule()
	for _, v := range d.virtuals {
		v.Find(entries[v.Service.Key])
		v.KeepOut(f.out, d.now())
		v.MovedByReload()
	}
	d.checks.Use(d.virtuals, f.before) // results come while the table is written
	last := &virtual.LastReals{Virtuals: d.virtuals}
	for _, v := range d.virtuals {
		d.awaitFirst(v)
		if v.Unread {
			continue
		}
		d.enter(v, entries[v.Service.Key] != nil, last)
	}
	for _, v := range gone {
		if !d.purge(v, "start") {
			d.own.left = append(d.own.left, v)
		}
	}
	d.settle()
	d.own.note(d.virtuals, false)
	if d.drift.Stop(); f.conf.DriftCheck > 0 {
		d.drift.Reset(f.conf.DriftCheck)
	}
	d.watcher.Watch(f.conf)
}

// settle makes the kernel agree with all results so far. The start or the reload ends when
// every new check has finished once.
func (d *Director) settle() {
	d.syncDirty()
	if d.checks.Unheard == 0 {
		d.status = conf.Running
	}
}

// stop ends the checks and takes out of the kernel what cleanstop says, nothing
// after Leave.
func (d *Director) stop() {
	d.status = conf.Stopping
	if d.own.leaving.Load() {
		return
	}
	for _, v := range d.virtuals {
		if v.Conf.CleanStop {
			d.purge(v, "stop")
		}
	}
}
