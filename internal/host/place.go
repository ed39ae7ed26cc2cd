package host

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
)

// Place looks how this host is connected, for the steps of a director. dev is
// the device for virtual addresses; "" looks for it: the one that has the address
// already, else the one in whose network it is, else that of the default route.
func (h *Host) Place(cfg *conf.Config, dev string) (Place, error) {
	p := Place{VIPs: map[netip.Addr]string{}}
	devices, err := readDevices()
	if err != nil {
		return p, err
	}
	if dev != "" {
		if _, err := device(dev); err != nil {
			return p, err
		}
	}
	for _, vip := range VIPs(cfg) {
		p.VIPs[vip] = dev
		if dev == "" {
			p.VIPs[vip] = devices.deviceFor(vip)
		}
	}
	for _, real := range masqReals(cfg) {
		if dev, _ := routeTo(real); dev != "" {
			p.Reals = append(p.Reals, dev)
		}
	}
	slices.Sort(p.Reals)
	p.Reals = slices.Compact(p.Reals)
	p.Advertised = devices.advertised
	return p, nil
}

// A networks is the addresses and default routes of a host.
type networks struct {
	addresses  []onDevice
	gateways   map[bool]string // the default route's device, by whether it is of IPv6
	advertised []string
}

// An onDevice is an address with its network, and its device.
type onDevice struct {
	prefix netip.Prefix // not masked
	dev    string
}

func readDevices() (networks, error) {
	n := networks{gateways: map[bool]string{}}
	names := map[int]string{}
	links, err := netlink.LinkList()
	if err != nil {
		return n, err
	}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return n, err
	}
	for _, a := range addresses {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			ones, _ := a.Mask.Size()
			n.addresses = append(n.addresses, onDevice{netip.PrefixFrom(ip.Unmap(), ones), names[a.LinkIndex]})
		}
	}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
		if err != nil {
			return n, err
		}
		for _, r := range routes {
			dev := names[r.LinkIndex]
			if !isDefault(r) || dev == "" {
				continue
			}
			if ipv6 := family == netlink.FAMILY_V6; n.gateways[ipv6] == "" {
				n.gateways[ipv6] = dev
			}
			if r.Protocol == unix.RTPROT_RA {
				n.advertised = append(n.advertised, dev)
			}
		}
	}
	return n, nil
}

// deviceFor is the device for a virtual address, "" if none is known.
func (n networks) deviceFor(vip netip.Addr) string {
	best := onDevice{}
	for _, a := range n.addresses {
		if a.prefix.Addr() == vip {
			return a.dev
		}
		if a.prefix.Masked().Contains(vip) && a.dev != "lo" && (best.dev == "" || a.prefix.Bits() > best.prefix.Bits()) {
			best = a
		}
	}
	if best.dev != "" {
		return best.dev
	}
	return n.gateways[vip.Is6()]
}

// routeTo is the device through which an address is reached, and from which of
// this host's addresses; empty if it is not.
func routeTo(addr netip.Addr) (dev string, from netip.Addr) {
	routes, err := netlink.RouteGet(addr.AsSlice())
	if err != nil || len(routes) == 0 {
		return "", netip.Addr{}
	}
	from, _ = netip.AddrFromSlice(routes[0].Src)
	link, err := netlink.LinkByIndex(routes[0].LinkIndex)
	if err != nil {
		return "", from.Unmap()
	}
	return link.Attrs().Name, from.Unmap()
}
