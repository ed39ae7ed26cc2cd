package host

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// A probe is shorter than that of RFC 5227, which takes 4 to 9 s: a start waits for it.
const (
	probeRounds = 3
	probeGap    = 300 * time.Millisecond
)

// A prober probes the network of one device for addresses of one family.
type prober interface {
	ask(addr netip.Addr) error
	// hear calls f for what other hosts have, until a time has passed; for a claim also for what they
	// are about to take, if they go first.
	hear(patience time.Duration, f func(addr netip.Addr, mac net.HardwareAddr)) error
	close()
}

// others probes the networks of devices for other machines that have the addresses, with claim also
// for those that are about to take one. What cannot be probed is not in asked.
//
// All probe at once: what comes between the probe for an address and its addition is time in which
// another machine finds that no one has it.
func others(byDev map[string][]netip.Addr, claim bool) (found map[netip.Addr][]string, asked map[netip.Addr]bool) {
	own := ownHardware()
	type probe struct {
		prober
		addrs  []netip.Addr
		owners map[netip.Addr][]net.HardwareAddr
		err    error
	}
	var probes []*probe
	for name, addrs := range byDev {
		dev, err := netlink.LinkByName(name)
		if err != nil || dev.Attrs().Flags&net.FlagLoopback != 0 {
			continue
		}
		add := func(p prober, addrs []netip.Addr, err error) {
			if err == nil {
				probes = append(probes, &probe{prober: p, addrs: addrs})
			}
		}
		v4, v6 := families(addrs)
		if len(v4) > 0 {
			p, err := openProbe4(dev.Attrs(), claim)
			add(p, v4, err)
		}
		if len(v6) > 0 {
			p, err := openProbe6(dev.Attrs(), v6, claim)
			add(p, v6, err)
		}
	}
	var running sync.WaitGroup
	for _, p := range probes {
		running.Go(func() { p.owners, p.err = whoHave(p, p.addrs, own, probeRounds, probeGap) })
	}
	running.Wait()
	found, asked = map[netip.Addr][]string{}, map[netip.Addr]bool{}
	for _, p := range probes {
		p.close()
		if p.err == nil {
			note(found, asked, p.addrs, p.owners)
		}
	}
	return found, asked
}

// whoHave probes for the owners of addresses, as before a claim of them (RFC 5227, section 2.1.1):
// rounds requests for each, with gap after each round. own are the hardware addresses of this host.
func whoHave(p prober, addrs []netip.Addr, own []net.HardwareAddr, rounds int, gap time.Duration) (map[netip.Addr][]net.HardwareAddr, error) {
	found := map[netip.Addr][]net.HardwareAddr{}
	for range rounds {
		for _, addr := range addrs {
			if err := p.ask(addr); err != nil {
				return nil, err
			}
		}
		err := p.hear(gap, func(addr netip.Addr, mac net.HardwareAddr) {
			if slices.Contains(addrs, addr) && !among(own, mac) && !among(found[addr], mac) {
				found[addr] = append(found[addr], mac)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func among(list []net.HardwareAddr, mac net.HardwareAddr) bool {
	return slices.ContainsFunc(list, func(m net.HardwareAddr) bool { return bytes.Equal(m, mac) })
}

// note notes the owners of addresses that were asked for.
func note(found map[netip.Addr][]string, asked map[netip.Addr]bool, addrs []netip.Addr, owners map[netip.Addr][]net.HardwareAddr) {
	for _, addr := range addrs {
		asked[addr] = true
		for _, mac := range owners[addr] {
			found[addr] = append(found[addr], neighbour(mac, addr))
		}
	}
}

func families(addrs []netip.Addr) (v4, v6 []netip.Addr) {
	for _, addr := range addrs {
		if addr.Is4() {
			v4 = append(v4, addr)
		} else {
			v6 = append(v6, addr)
		}
	}
	return v4, v6
}

// ownHardware are the hardware addresses of this host.
func ownHardware() (own []net.HardwareAddr) {
	links, _ := netlink.LinkList() // without them this host may find itself, and leaves an address out
	for _, link := range links {
		own = append(own, link.Attrs().HardwareAddr)
	}
	return own
}
