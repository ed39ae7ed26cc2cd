package director

import (
	"maps"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// A namedOrder is the name of real servers of one virtual service to which an order was
// given.
type namedOrder struct{ virtual, host string }

// followNames has orders that were given by a name hold for the addresses that the name
// has now (resolve). An order for an address stays with that.
func followNames(d *Director, cfg *conf.Config) {
	if cfg.Resolve == 0 {
		return
	}
	moved := d.overrides.follow(d.virtuals)
	for _, o := range moved {
		d.o.Log("Real server %s of %s: the order for %s holds for it, too: %s", o.Real, o.Virtual, o.Host, o)
	}
	if len(moved) > 0 && d.o.OverridesEnded != nil {
		d.o.OverridesEnded()
	}
}

// follow gives real servers that are new at a name its order, and ends that of addresses
// which the name has no more. It returns the new overrides.
func (o *overrides) follow(virtuals []*virtual.Service) (moved []report.Override) {
	byName := map[namedOrder]report.Override{}
	for _, over := range o.list() {
		if over.Host != "" {
			byName[namedOrder{over.Virtual, over.Host}] = over
		}
	}
	if len(byName) == 0 {
		return nil
	}
	at := map[namedOrder][]report.Target{}
	for _, v := range virtuals {
		for _, r := range v.Reals {
			n := namedOrder{v.ID, r.Conf.Host}
			over, ok := byName[n]
			if !ok {
				continue
			}
			t := r.Target()
			at[n] = append(at[n], t)
			if _, has := o.byTarget[t]; !has {
				over.Real = t.Real
				o.byTarget[t] = over
				moved = append(moved, over)
			}
		}
	}
	for t, over := range maps.Clone(o.byTarget) {
		if targets := at[namedOrder{over.Virtual, over.Host}]; len(targets) > 0 && !slices.Contains(targets, t) {
			delete(o.byTarget, t)
		}
	}
	o.publish()
	return moved
}

// hostOf is the name by which an order means r, "" if it means the address.
func hostOf(r *virtual.Real, order report.Order) string {
	host := r.Conf.Host
	if conf.IsName(host) && r.CalledByName(order.Real) {
		return host
	}
	return ""
}

// unname makes orders for the other addresses of a name orders for addresses: one of them
// has an order of its own now.
func (o *overrides) unname(virtualID, host string) {
	for t, over := range o.byTarget {
		if over.Virtual == virtualID && over.Host == host && host != "" {
			over.Host = ""
			o.byTarget[t] = over
		}
	}
}
