package importer

import (
	"net/netip"
	"strconv"
	"strings"
)

// A place is what clients connect to.
type place struct {
	address string
	ipv6    bool
	mark    bool
	family  string // inet or inet6 of a mark, "" is not given
}

// maxGroup is how many addresses one line of a group may mean.
const maxGroup = 256

// placesOf are the places of a virtual_server, at most so many.
func placesOf(n *node, groups map[string]*node, most int) (places []place, notes []note) {
	if n.Word(0) != "group" {
		return placesIn(n, withoutRange(n.Word(0)), n.Word(1))
	}
	group := groups[n.Word(1)]
	if group == nil {
		return nil, []note{lost(n.Line, "%s is left out: there is no such virtual_server_group", n)}
	}
	four, six, mark := false, false, false
	for _, c := range group.Block {
		more, why := placesIn(c, c.Name(), c.Word(0))
		places, notes = append(places, more...), append(notes, why...)
		if len(places) > most {
			return places[:most], append(notes, lost(n.Line, "%s has too many addresses: those that follow are left out", n))
		}
		for _, at := range more {
			four, six, mark = four || !at.mark && !at.ipv6, six || at.ipv6, mark || at.mark && at.family == ""
		}
	}
	if four && six && mark {
		notes = append(notes, lost(group.Line, "keepalived takes no group of IPv4, IPv6 and a mark without inet or inet6: %s", group))
	}
	if len(places) == 0 && len(notes) == 0 {
		notes = append(notes, lost(n.Line, "%s is left out: the group is empty", n))
	}
	return places, notes
}

// placesIn reads an address, a range of them, or "fwmark" and a mark.
func placesIn(n *node, addr, port string) ([]place, []note) {
	if addr == "fwmark" {
		mark, ok := parseMark(port)
		if !ok {
			return nil, []note{lost(n.Line, "%s is left out: it is no firewall mark", n)}
		}
		return []place{{address: mark, mark: true, family: familyOf(n)}}, nil
	}
	addrs, whole := addresses(addr)
	number, err := strconv.ParseUint(orZero(port), 10, 16)
	if err != nil || len(addrs) == 0 {
		return nil, []note{lost(n.Line, "%s is left out: it is no address and port; keepalived takes no names", n)}
	}
	var places []place
	for _, a := range addrs {
		places = append(places, place{address: netip.AddrPortFrom(a, uint16(number)).String(), ipv6: a.Is6()})
	}
	if !whole {
		return places, []note{lost(n.Line, "%s has more than %d addresses: those that follow are left out", n, maxGroup)}
	}
	return places, nil
}

// familyOf is the address family behind the mark of a group, "" if there is none.
func familyOf(n *node) string {
	if n.Name() != "fwmark" {
		return ""
	}
	return n.Word(1)
}

// withoutRange is the address of a range or a network, which keepalived takes outside of groups.
func withoutRange(s string) string {
	if i := strings.IndexAny(s, "-/"); i >= 0 {
		return s[:i]
	}
	return s
}

func orZero(port string) string {
	if port == "" {
		return "0"
	}
	return port
}

// addresses reads 10.0.0.1, 10.0.0.1-9, 10.0.0.1-10.0.1.9 and 10.0.0.8/29, and the
// same of IPv6. whole is false if there are more of them than maxGroup.
func addresses(s string) (addrs []netip.Addr, whole bool) {
	first, last := s, s
	if from, to, ok := strings.Cut(s, "-"); ok {
		first, last = from, to
		if i := strings.LastIndexAny(from, ".:"); !strings.ContainsAny(to, ".:") && i >= 0 {
			if last = from[:i+1] + to; last == first { // which keepalived refuses
				return nil, true
			}
		}
	} else if prefix, err := netip.ParsePrefix(s); err == nil {
		if prefix.Bits() == 0 || prefix != prefix.Masked() { // which keepalived refuses
			return nil, true
		}
		return addressesOf(prefix)
	}
	from, ok := parseAddr(first)
	to, ok2 := parseAddr(last)
	if !ok || !ok2 || from.Is6() != to.Is6() || to.Less(from) {
		return nil, true
	}
	for a := from; a.Compare(to) <= 0 && a.IsValid(); a = a.Next() {
		if len(addrs) == maxGroup {
			return addrs, false
		}
		addrs = append(addrs, a)
	}
	return addrs, true
}

// addressesOf are the addresses of a prefix.
func addressesOf(prefix netip.Prefix) (addrs []netip.Addr, whole bool) {
	if _, ok := parseAddr(prefix.Addr().String()); !ok {
		return nil, true
	}
	for a := prefix.Addr(); prefix.Contains(a); a = a.Next() {
		if len(addrs) == maxGroup {
			return addrs, false
		}
		addrs = append(addrs, a)
	}
	return addrs, true
}
