package daemon

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// presentTime is how long what was read of this host's addresses counts: many events come at once.
const presentTime = time.Second

// A present knows which virtual addresses are on this host.
type present struct {
	read func() (map[netip.Addr]bool, error)

	mu     sync.Mutex
	at     time.Time
	here   map[netip.Addr]bool  // nil: not known
	states []report.NotifyState // of the virtual addresses, sorted; nil: notify = always
}

func newPresent(cfg *conf.Config) *present {
	p := &present{read: host.Here}
	p.use(cfg)
	return p
}

// use puts a configuration in force. A nil present ignores it.
func (p *present) use(cfg *conf.Config) {
	if p == nil {
		return
	}
	var addrs []netip.Addr
	for _, v := range cfg.Virtuals {
		addrs = append(addrs, ownAddresses(v)...)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.states
	p.states = nil
	if !cfg.NotifyActive {
		return
	}
	for _, addr := range slices.Compact(addrs) {
		s := report.NotifyState{Address: addr}
		if i := slices.IndexFunc(old, func(s report.NotifyState) bool { return s.Address == addr }); i >= 0 {
			s = old[i]
		}
		p.states = append(p.states, s)
	}
	p.at = time.Time{}
}

// ownAddresses are those of a virtual service that one director has at a time.
func ownAddresses(v *conf.VirtualService) []netip.Addr {
	return slices.DeleteFunc(virtual.AddressesOf(v), func(a netip.Addr) bool { return a.IsUnspecified() || a.IsLoopback() })
}

// has reports whether an address of v is on this host. It does, too, if that is not known, and of a
// virtual service without an address of its own. A nil present has all.
func (p *present) has(v *conf.VirtualService) bool {
	addrs := ownAddresses(v)
	if p == nil || len(addrs) == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look()
	return slices.ContainsFunc(addrs, p.hasAddress)
}

func (p *present) hasAddress(addr netip.Addr) bool { return p.here == nil || p.here[addr] }

// look reads the addresses, unless that was done a moment ago. p.mu is held.
func (p *present) look() {
	now := time.Now()
	if !p.at.IsZero() && now.Sub(p.at) < presentTime {
		return
	}
	p.at = now
	why := ""
	var err error
	if p.here, err = p.read(); err != nil {
		p.here, why = nil, err.Error() // unknown is as here: an event too many is better than none
	}
	for i := range p.states {
		s := &p.states[i]
		if active := p.hasAddress(s.Address); s.Since.IsZero() || s.Active != active {
			s.Active, s.Since = active, now
		}
		s.Error = why
	}
}

// report are where mails and hooks are sent from, nil with notify = always. It may be called from any
// goroutine; a nil present has none.
func (p *present) report() []report.NotifyState {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.states == nil {
		return nil
	}
	p.look()
	return slices.Clone(p.states)
}
