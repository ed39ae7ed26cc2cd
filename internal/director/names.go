package director

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ldirectord/conf"
)

// names looks up the names of addresses, in the background and again from time
// to time.
type names struct {
	wanted chan []netip.Addr
	found  chan map[netip.Addr]string
	last   map[netip.Addr]string
	nameOf nameFunc
}

// nameAge is how long a name is believed.
const nameAge = 5 * time.Minute

// A nameFunc is what an address resolves to, "" is nothing. It may take its
// time, but not for ever.
type nameFunc func(context.Context, netip.Addr) string

func newNames(ctx context.Context, nameOf nameFunc) *names {
	n := &names{nameOf: nameOf, wanted: make(chan []netip.Addr, 1), found: make(chan map[netip.Addr]string, 1)}
	go n.run(ctx)
	return n
}

// want says whose names will be asked for.
func (n *names) want(cfg *conf.Config) {
	seen := map[netip.Addr]bool{}
	if cfg.MaintenanceDir != "" {
		for _, v := range cfg.Virtuals {
			for _, r := range v.Reals {
				seen[r.Addr] = true
			}
		}
	}
	select {
	case <-n.wanted:
	default:
	}
	n.wanted <- slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
}

// known is the names found so far, and whether that is more than the last time.
func (n *names) known() (_ map[netip.Addr]string, news bool) {
	select {
	case n.last = <-n.found:
		news = true
	default:
	}
	return n.last, news
}

func (n *names) run(ctx context.Context) {
	again := time.NewTicker(nameAge)
	defer again.Stop()
	var addrs []netip.Addr
	for {
		select {
		case addrs = <-n.wanted:
		case <-again.C:
		case <-ctx.Done():
			return
		}
		found := make(map[netip.Addr]string, len(addrs))
		for i, a := range addrs {
			if ctx.Err() != nil {
				return
			}
			found[a] = n.nameOf(ctx, a)
			if i%64 == 63 || i == len(addrs)-1 {
				n.publish(maps.Clone(found))
			}
		}
	}
}

func (n *names) publish(found map[netip.Addr]string) {
	select {
	case <-n.found:
	default:
	}
	n.found <- found
}

// resolve is the nameFunc that asks the machine's resolver, and drops the final
// dot.
func resolve(ctx context.Context, a netip.Addr) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupAddr(ctx, a.String())
	if err != nil || len(found) == 0 {
		return ""
	}
	return strings.TrimSuffix(found[0], ".")
}
