package host

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/mdlayher/ndp"
	"github.com/vishvananda/netlink"
)

// A probe is shorter than that of RFC 5227, which takes 4 to 9 s: a start waits for it.
const (
	probeRounds = 3
	probeGap    = 300 * time.Millisecond
)

// others probes the networks of devices for other machines that have the addresses, with claim also
// for those that are about to take one. What cannot be probed is not in asked.
func others(byDev map[string][]netip.Addr, claim bool) (found map[netip.Addr][]string, asked map[netip.Addr]bool) {
	found, asked = map[netip.Addr][]string{}, map[netip.Addr]bool{}
	own := ownHardware()
	for name, addrs := range byDev {
		dev, err := netlink.LinkByName(name)
		if err != nil || dev.Attrs().Flags&net.FlagLoopback != 0 {
			continue
		}
		v4, v6 := families(addrs)
		if len(v4) > 0 {
			if owners, err := whoHave(dev.Attrs(), v4, own, claim, probeRounds, probeGap); err == nil {
				note(found, asked, v4, owners)
			}
		}
		if len(v6) > 0 {
			if owners, err := whoHave6(dev.Attrs(), v6, own, probeRounds, probeGap); err == nil {
				note(found, asked, v6, owners)
			}
		}
	}
	return found, asked
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

// whoHave6 is whoHave for IPv6: neighbour solicitations (RFC 4861) from the link-local address of the
// device. Real servers with the address on lo do not answer.
func whoHave6(dev *netlink.LinkAttrs, addrs []netip.Addr, own []net.HardwareAddr, rounds int, gap time.Duration) (map[netip.Addr][]net.HardwareAddr, error) {
	ifi, err := net.InterfaceByIndex(dev.Index)
	if err != nil {
		return nil, err
	}
	c, _, err := ndp.Listen(ifi, ndp.LinkLocal)
	if err != nil {
		return nil, fmt.Errorf("no neighbour discovery on %s: %w", dev.Name, err)
	}
	defer c.Close()
	found := map[netip.Addr][]net.HardwareAddr{}
	for range rounds {
		for _, addr := range addrs {
			if err := solicit(c, dev.HardwareAddr, addr); err != nil {
				return nil, err
			}
		}
		if err := c.SetReadDeadline(time.Now().Add(gap)); err != nil {
			return nil, err
		}
		for {
			m, _, _, err := c.ReadFrom()
			if err != nil {
				break // the deadline
			}
			addr, mac := advertised(m)
			if mac != nil && slices.Contains(addrs, addr) && !among(own, mac) && !among(found[addr], mac) {
				found[addr] = append(found[addr], mac)
			}
		}
	}
	return found, nil
}

// solicit asks for the owner of an address.
func solicit(c *ndp.Conn, mac net.HardwareAddr, addr netip.Addr) error {
	group, err := ndp.SolicitedNodeMulticast(addr)
	if err != nil {
		return err
	}
	return c.WriteTo(&ndp.NeighborSolicitation{
		TargetAddress: addr, Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac}},
	}, nil, group)
}

// advertised is what an answer says: the address, and the hardware address of its owner; nil if it is none.
func advertised(m ndp.Message) (netip.Addr, net.HardwareAddr) {
	na, ok := m.(*ndp.NeighborAdvertisement)
	if !ok {
		return netip.Addr{}, nil
	}
	for _, o := range na.Options {
		if l, ok := o.(*ndp.LinkLayerAddress); ok && l.Direction == ndp.Target {
			return na.TargetAddress, l.Addr
		}
	}
	return netip.Addr{}, nil
}
