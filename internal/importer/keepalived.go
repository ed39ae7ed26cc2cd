package importer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// fromKeepalived reads the virtual_server blocks of a keepalived.conf.
func fromKeepalived(text string) (parts []*part) {
	groups := map[string]*node{}
	root := parseKeepalived(text)
	f := keepalivedFile{groups: groups}
	for _, n := range root.block {
		switch n.name() {
		case "virtual_server_group":
			groups[n.word(0)] = n
		case "global_defs":
			f.mail.read(n)
		}
	}
	f.mail.count(root)
	for _, n := range root.block {
		switch n.name() {
		case "virtual_server":
			parts = append(parts, f.virtualServer(n)...)
		case "virtual_server_group":
		case "global_defs":
			if p := f.mail.part(n); p != nil {
				parts = append(parts, p)
			}
		default:
			parts = append(parts, &part{line: n.line, notes: []note{notCarried(n)}})
		}
	}
	return parts
}

// A keepalivedFile is what the virtual servers of a file share.
type keepalivedFile struct {
	groups map[string]*node
	mail   mailSettings
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
	"BFD_CHECK":            "nothing here speaks BFD: the real server is not checked by it",
	"digest":               "receive compares the text itself, with a pattern",
	"FILE_CHECK":           "a file in maintenancedir takes a real server out, and sets its weight with maintenanceorders",
	"ha_suspend":           "a standby checks, too, so that it can take over at once",
	"helo_name":            "localhost.localdomain is sent",
	"include":              "import the file that keepalived puts together",
	"notify_down":          "notifycommand is run for every event",
	"notify_up":            "notifycommand is run for every event",
	"omega":                "quorumcommand is not run when the daemon stops",
	"persistence_engine":   "the kernel's sip engine is not set up",
	"sorry_server_inhibit": "a fallback out of service is not in the table",
	"SSL":                  "see sslcert, sslkey and sslcafile",
	"user":                 "see checkuser, which is for all commands",
	"vrrp_instance":        "addresses are moved by Pacemaker, heartbeat or keepalived itself",
}

// virtualServer makes the services of one block: several of a group.
func (f *keepalivedFile) virtualServer(n *node) (parts []*part) {
	places, notes := placesOf(n, f.groups)
	for _, at := range places {
		k := keepalived{
			part:      &part{line: n.line, service: &service{protocol: "tcp", address: at.address, ipv6: at.ipv6}},
			node:      n,
			mail:      f.mail,
			forward:   "masq",                                 // keepalived's default
			weight:    "1",                                    // keepalived's default
			inherited: settings{interval: "60", timeout: "5"}, // keepalived's defaults
		}
		if at.mark {
			k.part.service.protocol, k.family = "fwm", at.family
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
	mail      mailSettings
	family    string // inet or inet6 of a mark, "" is not given
	forward   string
	weight    string
	inherited settings
	checks    []checkSet // of each real server
	dynamic   bool       // checks change weights
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
	k.quiescence(reals)
	k.quorum()
	if k.mail.inBlocks && k.mail.wantedBy(k.node) {
		s.policy = append(s.policy, k.mail.alert())
	}
	k.chooseChecks()
	if s.protocol == "sctp" {
		k.part.service, k.part.notes = nil, []note{lost(k.node.line, "%s is left out: it is sctp, and ldirectord has tcp and udp", k.node)}
	}
}

// quiescence makes quiescent of inhibit_on_failure, which each real server may have for itself.
func (k *keepalived) quiescence(reals []*node) {
	var with, without []string
	for _, c := range reals {
		own := k.inherited
		for _, o := range c.block {
			own.take(o, func(note) {})
		}
		if own.quiescent {
			with = append(with, c.word(0))
		} else {
			without = append(without, c.word(0))
		}
	}
	if len(with) == 0 {
		return
	}
	if len(without) > 0 {
		k.add(lost(k.node.line, "inhibit_on_failure of %s only: quiescent is for the whole virtual service, and %s stay in the table, too, with weight 0",
			strings.Join(with, ", "), strings.Join(without, ", ")))
	}
	k.part.service.policy = append(k.part.service.policy, "quiescent = yes")
}

// markFamily takes the family of a mark's service from its real servers.
func (k *keepalived) markFamily(reals []*node) {
	family := k.family
	if n := k.node.child("ip_family"); n != nil && family == "" {
		family = n.word(0)
	}
	if family != "" {
		k.part.service.ipv6 = family == "inet6"
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
	case "real_server", "sorry_server", "sorry_server_lvs_method", "ip_family", "quorum", "hysteresis", "quorum_up", "quorum_down", "omega", "hashed":
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
	case "smtp_alert": // see mailSettings
	case "snmp_name":
		if expressible(n.all()) {
			s.policy = append(s.policy, "servicename = "+n.all())
		}
	case "weight":
		if isNumber(n.word(0), 1) {
			k.weight = n.word(0)
		} else {
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
	r := &realServer{line: n.line, address: at, forward: k.forward, weight: k.weight}
	add := func(what note) { r.notes = append(r.notes, what) }
	own := k.inherited
	for _, c := range n.block { // before the checkers, which inherit it
		own.take(c, func(note) {})
	}
	address, _ := parseAddr(n.word(0))
	context := checkerContext{settings: own, address: address, protocol: k.part.service.protocol, add: add}
	var checks checkSet
	dynamic := 0
	for _, c := range n.block {
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
		if c.child("misc_dynamic") != nil || c.child("dynamic") != nil {
			dynamic++
		}
	}
	if k.dynamic = k.dynamic || dynamic > 0; dynamic > 1 {
		add(lost(n.line, "the checkers of %s add their weights up there; here the least of them counts", n.word(0)))
	}
	if len(checks) == 0 {
		add(chosen(n.line, "%s has no checker: it is not checked", n))
		checks = checkSet{notChecked(n)}
	}
	thresholds(r)
	k.part.service.reals = append(k.part.service.reals, r)
	k.checks = append(k.checks, checks.withoutImplied())
}

// realSetting reads n if it is a setting of a real server and not of its checks.
func (k *keepalived) realSetting(n *node, r *realServer) bool {
	switch n.name() {
	case "weight":
		r.weight = k.weightOf(n, r)
	case "uthreshold", "lthreshold":
		if !isNumber(n.word(0), 0) {
			r.notes = append(r.notes, notCarried(n))
		} else if n.name() == "uthreshold" {
			r.upper = n.word(0)
		} else {
			r.lower = n.word(0)
		}
	case "lvs_method", "lb_kind":
		forward, notes := forwarding(n, r.forward)
		r.forward, r.notes = forward, append(r.notes, notes...)
	case "alpha", "snmp_name", "smtp_alert":
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
func (k *keepalived) weightOf(n *node, r *realServer) string {
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
