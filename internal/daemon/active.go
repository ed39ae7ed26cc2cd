package daemon

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// presentTime is how long what was read of this host's addresses counts: many events come at once.
const presentTime = time.Second

// A present knows which virtual addresses are on this host.
type present struct {
	read func() (map[netip.Addr]bool, error)

	mu   sync.Mutex
	at   time.Time
	here map[netip.Addr]bool // nil: not known
}

func newPresent() *present { return &present{read: host.Here} }

// has reports whether an address of v is on this host. It does, too, if that is not known, and of a
// virtual service without an address of its own.
func (p *present) has(v *conf.VirtualService) bool {
	addrs := slices.DeleteFunc(virtual.AddressesOf(v), func(a netip.Addr) bool { return a.IsUnspecified() || a.IsLoopback() })
	if len(addrs) == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.at.IsZero() || now.Sub(p.at) >= presentTime {
		p.at = now
		p.here, _ = p.read() // unknown is as here: an event too many is better than none
	}
	return p.here == nil || slices.ContainsFunc(addrs, func(a netip.Addr) bool { return p.here[a] })
}
