package importer

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// fromKeepalived reads the virtual_server blocks of a keepalived.conf.
func fromKeepalived(text string) (parts []*part) {
	groups := map[string]*node{}
	root := parseKeepalived(text)
	for _, n := range root.block {
		if n.name() == "virtual_server_group" {
			groups[n.word(0)] = n
		}
	}
	for _, n := range root.block {
		switch n.name() {
		case "virtual_server":
			parts = append(parts, readVirtualServer(n, groups)...)
		case "virtual_server_group":
		default:
			parts = append(parts, &part{line: n.line, notes: []note{notCarried(n)}})
		}
	}
	return parts
}

func notCarried(n *node) note {
	text := n.String() + " is not carried over"
	if why := instead[n.name()]; why != "" {
		text += ": " + why
	}
	return lost(n.line, "%s", text)
}

// instead has our counterpart of each keyword.
var instead = map[string]string{
	"digest":        "receive compares the text itself, with a pattern",
	"global_defs":   "see emailalert, smtp and notifycommand",
	"hysteresis":    "see hysteresis and quorum, which count real servers and not weights",
	"include":       "import the file that keepalived puts together",
	"misc_dynamic":  "checktype = agent takes a weight from the real server",
	"notify_down":   "notifycommand is run for every event",
	"notify_up":     "notifycommand is run for every event",
	"quorum":        "see quorum, which counts real servers and not weights",
	"quorum_down":   "see quorumcommand",
	"quorum_up":     "see quorumcommand",
	"smtp_alert":    "see emailalert",
	"SSL":           "see sslcert, sslkey and sslcafile",
	"vrrp_instance": "addresses are moved by Pacemaker, heartbeat or keepalived itself",
}

// readVirtualServer makes the services of one block: several of a group.
func readVirtualServer(n *node, groups map[string]*node) (parts []*part) {
	places, notes := placesOf(n, groups)
	for _, at := range places {
		k := keepalived{
			part:      &part{line: n.line, service: &service{protocol: "tcp", address: at.address, ipv6: at.ipv6}},
			node:      n,
			forward:   "masq",                                 // keepalived's default
			inherited: settings{interval: "60", timeout: "5"}, // keepalived's defaults
		}
		if at.mark {
			k.part.service.protocol = "fwm"
		}
		k.read()
		parts = append(parts, k.part)
	}
	if len(notes) > 0 {
		parts = append(parts, &part{line: n.line, notes: notes})
	}
	return parts
}

// A keepalived is one virtual service during its reading.
type keepalived struct {
	part      *part
	node      *node
	forward   string
	inherited settings
	checks    []check // of each real server
}

func (k *keepalived) add(n note) { k.part.notes = append(k.part.notes, n) }

func (k *keepalived) read() {
	s := k.part.service
	// What holds for all real servers may follow them.
	for _, c := range k.node.block {
		k.directive(c)
	}
	reals := slices.DeleteFunc(slices.Clone(k.node.block), func(c *node) bool { return c.name() != "real_server" })
	if s.protocol == "fwm" {
		k.markFamily(reals)
	}
	for _, c := range reals {
		k.realServer(c)
	}
	if sorry := k.node.child("sorry_server"); sorry != nil {
		k.sorry(sorry)
	}
	if s.persistent > 0 && s.netmask != "" && !isNetmask(s.netmask, s.ipv6) {
		k.add(lost(k.node.line, "persistence_granularity %s is no netmask of this address family", s.netmask))
		s.netmask = ""
	}
	k.chooseChecks()
	if s.protocol == "sctp" {
		k.part.service, k.part.notes = nil, []note{lost(k.node.line, "%s is left out: it is sctp, and ldirectord has tcp and udp", k.node)}
	}
}

// markFamily takes the family of a mark's service from its real servers.
func (k *keepalived) markFamily(reals []*node) {
	family := k.node.child("ip_family")
	if family != nil {
		k.part.service.ipv6 = family.word(0) == "inet6"
		return
	}
	for _, c := range reals {
		if a, ok := parseAddr(c.word(0)); ok {
			k.part.service.ipv6 = a.Is6()
			return
		}
	}
}

var keepalivedForwards = map[string]string{"NAT": "masq", "DR": "gate", "TUN": "ipip"}

// forwarding reads a forwarding method with what may follow it.
func forwarding(n *node, otherwise string) (string, []note) {
	forward, ok := keepalivedForwards[n.word(0)]
	if !ok {
		return otherwise, []note{lost(n.line, "%s is not known, %s is taken", n, otherwise)}
	}
	if len(n.words) > 2 && n.all() != "TUN type ipip" {
		return forward, []note{lost(n.line, "%s: only ipip tunnels are known, without options", n)}
	}
	return forward, nil
}

func (k *keepalived) directive(n *node) {
	s := k.part.service
	switch n.name() {
	case "real_server", "sorry_server", "sorry_server_lvs_method", "ip_family":
	case "lb_algo", "lvs_sched":
		if s.scheduler = n.word(0); !isWord(s.scheduler) {
			k.add(lost(n.line, "%s: that is no scheduler, wlc is taken", n))
			s.scheduler = ""
		}
	case "lb_kind", "lvs_method":
		forward, notes := forwarding(n, k.forward)
		k.forward = forward
		k.part.notes = append(k.part.notes, notes...)
	case "protocol":
		k.protocol(n)
	case "persistence_timeout":
		s.persistent = 360
		if isNumber(n.word(0), 1) {
			s.persistent, _ = strconv.Atoi(n.word(0))
		} else if n.word(0) != "" {
			k.add(lost(n.line, "%s: 360 is taken", n))
		}
	case "persistence_granularity":
		s.netmask = n.word(0)
	case "ops":
		s.ops = true
	case "alpha": // no real server gets traffic before its first good check here
		if n.word(0) != "" {
			k.add(notCarried(n))
		}
	case "quorum":
		if n.word(0) != "1" {
			k.add(notCarried(n))
		}
	default:
		if slices.Contains(schedulerFlags, n.name()) {
			s.flags = append(s.flags, n.name())
		} else if !k.inherited.take(n, k.add) {
			k.add(notCarried(n))
		}
	}
}

func (k *keepalived) protocol(n *node) {
	switch protocol := strings.ToLower(n.word(0)); protocol {
	case "tcp", "udp", "sctp":
		if k.part.service.protocol != "fwm" { // a mark has no protocol in the kernel
			k.part.service.protocol = protocol
		}
	default:
		k.add(lost(n.line, "%s: that is no protocol, %s is taken", n, k.part.service.protocol))
	}
}

// sorry makes the fallback of a sorry_server.
func (k *keepalived) sorry(n *node) {
	s := k.part.service
	forward := k.forward
	if method := k.node.child("sorry_server_lvs_method"); method != nil {
		var notes []note
		forward, notes = forwarding(method, forward)
		k.part.notes = append(k.part.notes, notes...)
	}
	at, ok := k.realAddress(n)
	if !ok {
		k.add(lost(n.line, "%s is left out: it is no address and port of this address family", n))
		return
	}
	s.fallback = at + " " + forward
}

// realAddress is the address of a real server or sorry_server. Without a port it
// is that of the virtual service, as in the kernel.
func (k *keepalived) realAddress(n *node) (string, bool) {
	s := k.part.service
	a, ok := parseAddr(n.word(0))
	port, err := strconv.ParseUint(orZero(n.word(1)), 10, 16)
	if !ok || err != nil || a.Is6() != s.ipv6 {
		return "", false
	}
	if at, err := netip.ParseAddrPort(s.address); err == nil && port == 0 {
		port = uint64(at.Port())
	}
	if port == 0 && s.protocol == "fwm" {
		return hostOf(a), true
	}
	return netip.AddrPortFrom(a, uint16(port)).String(), true
}

func (k *keepalived) realServer(n *node) {
	at, ok := k.realAddress(n)
	if !ok {
		why := "it is no address and port"
		if _, address := parseAddr(n.word(0)); address {
			why = "it is of another address family than the virtual service"
		}
		k.add(lost(n.line, "%s is left out: %s", n, why))
		return
	}
	r := &realServer{line: n.line, address: at, forward: k.forward, weight: "1"}
	add := func(what note) { r.notes = append(r.notes, what) }
	own := k.inherited
	for _, c := range n.block { // before the checkers, which inherit it
		own.take(c, func(note) {})
	}
	var checks []check
	for _, c := range n.block {
		switch c.name() {
		case "weight":
			r.weight = k.weight(c, r)
		case "uthreshold", "lthreshold":
			if !isNumber(c.word(0), 0) {
				add(notCarried(c))
			} else if c.name() == "uthreshold" {
				r.upper = c.word(0)
			} else {
				r.lower = c.word(0)
			}
		case "lvs_method", "lb_kind":
			forward, notes := forwarding(c, r.forward)
			r.forward, r.notes = forward, append(r.notes, notes...)
		case "alpha", "snmp_name":
		default:
			if again := own; again.take(c, add) {
				continue
			}
			if made, ok := newCheck(c, own, add); ok {
				checks = append(checks, made)
			} else {
				add(notCarried(c))
			}
		}
	}
	k.part.service.reals = append(k.part.service.reals, r)
	k.checks = append(k.checks, oneOf(checks, own, n, add))
}

// weight reads a weight. With weight 0 keepalived sends a real server no new
// connections and does not count it; here it would count.
func (k *keepalived) weight(n *node, r *realServer) string {
	switch {
	case !isNumber(n.word(0), 0):
		r.notes = append(r.notes, lost(n.line, "%s: that is no weight, 1 is taken", n))
		return "1"
	case n.word(0) == "0":
		r.left = true
		r.notes = append(r.notes, lost(n.line, "weight 0 gets no connections; give it a weight to use it"))
	}
	return n.word(0)
}

// chooseChecks takes the one check that a virtual service can have.
func (k *keepalived) chooseChecks() {
	s := k.part.service
	var all []check
	for i, r := range s.reals {
		if c := k.checks[i]; !r.left {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		for i := range s.reals {
			all = append(all, k.checks[i])
		}
	}
	if len(all) == 0 {
		s.check = []string{"checktype = on"}
		return
	}
	if ownRequests(all) {
		for i, r := range s.reals {
			r.request = k.checks[i].pair()
		}
		s.check = all[0].shared()
		return
	}
	best := mostCommon(all)
	s.check = best.directives()
	var lines []string
	for i, r := range s.reals {
		c := k.checks[i]
		if c.String() == best.String() {
			continue
		}
		lines = append(lines, strconv.Itoa(c.line))
		r.notes = append(r.notes, lost(c.line, "%s is checked by %s there", r.address, c.origin))
	}
	if len(lines) > 0 {
		k.add(lost(k.node.line, "the real servers of %s are checked differently (lines %d, %s); one virtual service has one check, that of line %d is taken",
			fmt.Sprint(k.node), best.line, strings.Join(lines, ", "), best.line))
	}
}
