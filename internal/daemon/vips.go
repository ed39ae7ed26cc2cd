package daemon

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/announce"
	"github.com/ldirectord/ldirectord/internal/owners"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

const (
	// withdrawPatience bounds all that withdraws addresses at a stop. With the longest withdrawdelay
	// it is less than stopPatience.
	withdrawPatience = 6 * time.Second
	// killedPatience is the same after a daemon had to be killed, which has taken long.
	killedPatience = 3 * time.Second
	// moveLimit is when a stop, from its beginning, no longer waits for keepalived to move an address. What
	// follows needs the rest of stopPatience.
	moveLimit = 8 * time.Second
	movePause = 100 * time.Millisecond // between two looks at the addresses of this host
	// hostLeavePatience bounds the wait for another process that works on the host.
	hostLeavePatience = time.Second
)

// vips are the virtual addresses: which of them are served, and what makes the network follow.
type vips struct {
	addresses *virtual.Addresses
	announcer *announce.Announcer // nil: the network follows nothing, as in a dry run
	host      *announce.Host      // of hostsetup; not started in a dry run
	present   *present            // nil: a dry run, which mails nothing
	// moves returns what has those of the addresses that keepalived moves and that are on this host now;
	// nil: it moves none.
	moves func(addrs []netip.Addr) (here func() []netip.Addr)
	log   func(format string, args ...any)
}

// newVIPs are the virtual addresses of a daemon.
func (p *process) newVIPs() vips {
	v := vips{addresses: virtual.NewAddresses(), log: p.Log.Printf}
	if !p.DryRun {
		v.moves = keepalivedMoves
		v.announcer = p.newAnnouncer()
		v.announcer.Use(announcedBy(p.Config))
		v.present = newPresent(p.Config)
	}
	return v
}

func (p *process) newAnnouncer() *announce.Announcer {
	return announce.New(announce.Options{Log: p.Log.Printf, Record: p.AnnouncedFile()})
}

// announcedBy is what a configuration says of announcements.
func announcedBy(cfg *conf.Config) announce.Settings {
	s := announce.Settings{Command: cfg.VIPCommand, Device: cfg.VIPDevice}
	for _, v := range cfg.Virtuals {
		if v.Announce != conf.AnnounceNo {
			s.Addresses = append(s.Addresses, virtual.AddressesOf(v)...)
		}
	}
	slices.SortFunc(s.Addresses, netip.Addr.Compare)
	s.Addresses = slices.Compact(s.Addresses)
	return s
}

// staying reports of an address whether a virtual service of it stays in the table at a stop
// (cleanstop = no): then it stays announced.
func staying(cfg *conf.Config) func(netip.Addr) bool {
	stays := map[netip.Addr]bool{}
	for _, v := range cfg.Virtuals {
		for _, addr := range virtual.AddressesOf(v) {
			stays[addr] = stays[addr] || !v.CleanStop
		}
	}
	return func(addr netip.Addr) bool { return stays[addr] }
}

// start begins to announce.
func (v vips) start() {
	if v.announcer == nil {
		return
	}
	v.addresses.Changed = func() {
		if states, err := v.addresses.States(); err == nil && !v.addresses.Ends() {
			v.announcer.Set(states)
			v.host.Set(states)
		}
	}
	v.announcer.Start()
	v.host.Start()
}

// use puts a configuration in force.
func (v vips) use(cfg *conf.Config) {
	v.present.use(cfg)
	if v.announcer != nil {
		v.announcer.Use(announcedBy(cfg))
	}
}

// setUp puts another setup of the host in force.
func (v vips) setUp(s announce.HostSetup) {
	if v.host != nil {
		v.host.Use(s)
	}
}

// faults are what does not follow.
func (v vips) faults() []report.Fault {
	if v.announcer == nil {
		return nil
	}
	return append(v.announcer.Faults(), v.host.Faults()...)
}

// leave ends the announcements, and leaves the network as it is.
func (v vips) leave() {
	if v.announcer != nil {
		v.announcer.Leave()
		v.host.Leave()
	}
}

// withdraw withdraws all addresses of a daemon that stops, waits for withdrawdelay if there were
// any and for keepalived to move its own, takes them from this host (hostsetup), and calls stop, which
// takes away the table. It returns at once. From now on they are not served, for those who ask.
func (v vips) withdraw(cfg *conf.Config, stop func()) {
	ceased := v.addresses.End(staying(cfg))
	if v.announcer == nil {
		stop()
		return
	}
	began := time.Now()
	go func() {
		defer stop()
		withdraw(v.announcer, cfg, withdrawPatience, ceased)
		if !ceased.IsZero() && cfg.WithdrawDelay > 0 {
			v.awaitMoves(cfg, began.Add(moveLimit))
		}
		if v.host == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), hostLeavePatience)
		defer cancel()
		v.host.Withdraw(ctx, staying(cfg))
	}()
}

// withdraw withdraws all addresses within patience, and then waits for withdrawdelay if there were
// any. If others have to see that they are not served any more, ceased is since when.
func withdraw(a *announce.Announcer, cfg *conf.Config, patience time.Duration, ceased time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if a.Withdraw(ctx, staying(cfg)) {
		ceased = time.Now()
	}
	time.Sleep(time.Until(ceased.Add(cfg.WithdrawDelay)))
}

// awaitMoves waits until keepalived has moved its virtual addresses to another host, on a busy machine
// later than withdrawdelay: a client that still comes here has its connection reset when the table goes.
func (v vips) awaitMoves(cfg *conf.Config, limit time.Time) {
	if v.moves == nil {
		return
	}
	here := v.moves(slices.DeleteFunc(announcedBy(cfg).Addresses, staying(cfg)))
	for {
		left := here()
		if len(left) == 0 {
			return
		}
		if !time.Now().Before(limit) {
			v.log(`Warning: keepalived has not moved %s within %v: the table goes, and connections of clients that still come here are reset; `+
				`before another stop, run "ldirectord withdraw" and wait until the address has left`, left[0], moveLimit)
			return
		}
		time.Sleep(movePause)
	}
}

// keepalivedMoves has those of the addresses that are in keepalived's configuration and on this host.
func keepalivedMoves(addrs []netip.Addr) (here func() []netip.Addr) {
	moved := owners.Keepalived()
	addrs = slices.DeleteFunc(addrs, func(addr netip.Addr) bool { return moved[addr] == "" })
	return func() (left []netip.Addr) {
		if len(addrs) == 0 {
			return nil
		}
		list, err := net.InterfaceAddrs()
		if err != nil {
			return nil
		}
		for _, on := range list {
			if prefix, err := netip.ParsePrefix(on.String()); err == nil && slices.Contains(addrs, prefix.Addr()) {
				left = append(left, prefix.Addr())
			}
		}
		return left
	}
}
