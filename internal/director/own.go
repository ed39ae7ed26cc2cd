package director

import (
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// ownership is which of the kernel's services are this daemon's own.
type ownership struct {
	recalled []state.Service    // left by an earlier daemon; nil once the table was read
	left     []*virtual.Service // in the file no more, and the kernel refused to delete them
	held     atomic.Pointer[[]state.Service]
	leaving  atomic.Bool
}

// Leave makes the end of Run leave the table as it is, whatever cleanstop is.
func (d *Director) Leave() { d.own.leaving.Store(true) }

// Held are the virtual services of the kernel's table that are this daemon's own: as
// of the last load, or after Run has returned those that are left. It may be called
// from any goroutine.
func (d *Director) Held() []state.Service {
	if held := d.own.held.Load(); held != nil {
		return *held
	}
	return d.o.Ours
}

// Services are the virtual services of a configuration.
func Services(cfg *conf.Config) []state.Service {
	list := make([]state.Service, len(cfg.Virtuals))
	for i, v := range cfg.Virtuals {
		list[i] = state.Service{Key: table.KeyOf(v), ID: v.ID(), CleanStop: v.CleanStop}
	}
	return list
}

// take returns the services that are ours, are in the table, and are not among
// virtuals, which a new configuration names. A table that could not be read keeps
// them for the next time.
func (o *ownership) take(virtuals []*virtual.Service, entries map[ipvs.Key]*ipvs.Entry, readable bool) []*virtual.Service {
	if !readable {
		return nil
	}
	named := make(map[ipvs.Key]bool, len(virtuals))
	for _, v := range virtuals {
		named[v.Service.Key] = true
	}
	var gone []*virtual.Service
	for _, v := range o.left {
		if entries[v.Service.Key] != nil && !named[v.Service.Key] {
			gone = append(gone, v)
		}
	}
	for _, s := range o.recalled {
		if e := entries[s.Key]; e != nil && !named[s.Key] {
			gone = append(gone, recall(s, e))
		}
	}
	o.left, o.recalled = nil, nil
	return gone
}

// recall is the virtual service that an earlier daemon has left, as the kernel has
// it.
func recall(s state.Service, e *ipvs.Entry) *virtual.Service {
	c := &conf.VirtualService{Addr: s.Addr, Port: s.Port, Mark: s.Mark, IPv6: s.IPv6, Policy: conf.Policy{CleanStop: s.CleanStop}}
	switch {
	case s.Mark != 0:
		c.Protocol = conf.FWM
	case s.Protocol == ipvs.UDP:
		c.Protocol = conf.UDP
	}
	v := virtual.New(c, 0, time.Now())
	v.Service, v.Invalid = e.Service, nil
	v.Adopt(e)
	return v
}

// note keeps our services for Held: all that the file names, as the kernel may take later
// a service that it refuses now. When the daemon has ended, only those that are, or may be, in the table.
func (o *ownership) note(virtuals []*virtual.Service, ended bool) {
	held := make([]state.Service, 0, len(virtuals)+len(o.left))
	for _, v := range virtuals {
		if v.Actual.Present || v.Unread || !ended {
			held = append(held, v.Owned())
		}
	}
	for _, v := range o.left {
		held = append(held, v.Owned())
	}
	o.held.Store(&held)
}
