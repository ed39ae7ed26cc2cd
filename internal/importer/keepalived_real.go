package importer

import (
	"cmp"
	"net/netip"
	"strconv"
)

// sorry makes the fallback of a sorry_server.
func (k *virtualReader) sorry(n *node) {
	s := k.part.service
	forward := k.forward
	if method := k.node.Child("sorry_server_lvs_method"); method != nil {
		var notes []note
		forward, notes = forwarding(method, forward)
		k.part.notes = append(k.part.notes, notes...)
	}
	at, why := k.realAddress(n)
	if why != "" {
		k.add(lost(n.Line, "%s is left out: %s", n, why))
		return
	}
	s.fallback = k.withPort(at, forward) + " " + forward
}

// realAddress is the address and port of a real server or sorry_server, or why it has none. Without
// a port it is 0.
func (k *virtualReader) realAddress(n *node) (at netip.AddrPort, why string) {
	a, ok := parseAddr(withoutRange(n.Word(0)))
	port, err := strconv.ParseUint(orZero(n.Word(1)), 10, 16)
	switch {
	case !ok || err != nil:
		return at, "it is no address and port; keepalived takes no names"
	case a.Is6() != k.part.service.ipv6:
		return at, "it is of another address family than the virtual service"
	}
	return netip.AddrPortFrom(a, uint16(port)), ""
}

// withPort is an address as the table has it: NAT may change the port of the virtual service.
func (k *virtualReader) withPort(at netip.AddrPort, forward string) string {
	port := at.Port()
	if v, err := netip.ParseAddrPort(k.part.service.address); err == nil && (port == 0 || forward != "masq") {
		port = v.Port()
	} else if err != nil && forward != "masq" {
		port = 0
	}
	if port == 0 && k.part.service.protocol == "fwm" {
		return hostOf(at.Addr())
	}
	return netip.AddrPortFrom(at.Addr(), port).String()
}

// place sets the address of a real server. Checks go to the port that keepalived.conf has, though NAT
// alone can change that of the virtual service.
func (k *virtualReader) place(r *realServer, at netip.AddrPort, checks checkSet) {
	r.address = k.withPort(at, r.forward)
	if at.Port() == 0 || r.address == k.withPort(at, "masq") {
		return
	}
	r.notes = append(r.notes, chosen(r.line, "%s cannot change the port, and keepalived takes that of the virtual service; port %d is for the checks alone", r.forward, at.Port()))
	for i, c := range checks {
		if c.rank == connects || c.rank == speaks {
			checks[i].port = cmp.Or(c.port, strconv.Itoa(int(at.Port())))
		}
	}
}

func (k *virtualReader) realServer(n *node) {
	at, why := k.realAddress(n)
	if why != "" {
		k.add(lost(n.Line, "%s is left out: %s", n, why))
		return
	}
	r := &realServer{line: n.Line, forward: k.forward, weight: k.weight}
	add := func(what note) { r.notes = append(r.notes, what) }
	own := k.inherited
	for _, c := range n.Block { // before the checkers, which inherit it
		own.take(c, func(note) {})
	}
	context := checkerContext{settings: own, address: at.Addr(), protocol: k.part.service.protocol, add: add}
	var checks checkSet
	dynamic := 0
	for _, c := range n.Block {
		if k.realSetting(c, r) {
			continue
		}
		if again := own; again.take(c, add) {
			continue
		}
		made, ok := newChecks(c, context)
		if !ok {
			add(notCarried(c))
		}
		checks = append(checks, made...)
		if c.Child("misc_dynamic") != nil || c.Child("dynamic") != nil {
			dynamic++
		}
	}
	if k.dynamic = k.dynamic || dynamic > 0; dynamic > 1 {
		add(lost(n.Line, "the checkers of %s add their weights up there; here the least of them counts", n.Word(0)))
	}
	if len(checks) == 0 {
		add(chosen(n.Line, "%s has no checker: it is not checked", n))
		checks = checkSet{notChecked(n)}
	}
	k.place(r, at, checks)
	thresholds(r)
	k.part.service.reals = append(k.part.service.reals, r)
	k.checks = append(k.checks, checks.withoutImplied())
}

// realSetting reads n if it is a setting of a real server and not of its checks.
func (k *virtualReader) realSetting(n *node, r *realServer) bool {
	switch n.Name() {
	case "weight":
		r.weight = k.weightOf(n, r)
	case "uthreshold", "lthreshold":
		if !isNumber(n.Word(0), 0) {
			r.notes = append(r.notes, notCarried(n))
		} else if n.Name() == "uthreshold" {
			r.upper = n.Word(0)
		} else {
			r.lower = n.Word(0)
		}
	case "lvs_method":
		forward, notes := forwarding(n, r.forward)
		r.forward, r.notes = forward, append(r.notes, notes...)
	case "snmp_name":
		r.notes = append(r.notes, chosen(n.Line, "%s: a real server has no name here", n))
	case "alpha", "smtp_alert":
	default:
		return false
	}
	return true
}

// thresholds leaves out what the kernel refuses: a lower threshold above the upper one, of which 0
// is none.
func thresholds(r *realServer) {
	lower, _ := strconv.ParseUint(r.lower, 10, 32)
	upper, _ := strconv.ParseUint(r.upper, 10, 32)
	if lower > upper {
		r.notes = append(r.notes, lost(r.line, "lthreshold %s is not carried over: the kernel refuses it without a higher uthreshold", r.lower))
		r.lower = ""
	}
}

// weightOf reads a weight. With weight 0 keepalived sends a real server no new
// connections and does not count it; here it would count.
func (k *virtualReader) weightOf(n *node, r *realServer) string {
	switch {
	case !isNumber(n.Word(0), 0):
		r.notes = append(r.notes, lost(n.Line, "%s: that is no weight", n))
		return r.weight
	case n.Word(0) == "0":
		r.left = true
		r.notes = append(r.notes, lost(n.Line, "weight 0 gets no connections; give it a weight to use it"))
	}
	return n.Word(0)
}
