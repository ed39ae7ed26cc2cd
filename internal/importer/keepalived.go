package importer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// fromKeepalived reads the virtual_server blocks of a keepalived.conf.
func fromKeepalived(text string, source Source) (parts []*part) {
	groups := map[string]*node{}
	root, notes := keepalived.Parse(text, keepalived.Source(source))
	f := keepalivedFile{root: root, groups: groups, said: map[string]bool{}}
	for _, n := range root.Block {
		switch n.Name() {
		case "virtual_server_group":
			groups[n.Word(0)] = n
		case "global_defs":
			f.mail.read(n)
		}
	}
	f.mail.count(root)
	for _, n := range notes {
		parts = append(parts, &part{line: n.Line, notes: []note{noteOf(n)}})
	}
	for _, n := range root.Block {
		switch n.Name() {
		case "virtual_server":
			parts = append(parts, f.virtualServer(n)...)
		case "virtual_server_group":
		case "global_defs", "SSL":
			if p := f.global(n); p != nil {
				parts = append(parts, p)
			}
		default:
			parts = append(parts, &part{line: n.Line, notes: []note{notCarried(n)}})
		}
	}
	return parts
}

// maxCopied is how many lines groups are read and their addresses make, with 16 for each address.
const maxCopied = 1 << 18

// A keepalivedFile is what the virtual servers of a file share.
type keepalivedFile struct {
	copied int
	root   *node
	said   map[string]bool // keywords of global_defs that were carried over
	groups map[string]*node
	mail   mailSettings
}

func notCarried(n *node) note {
	text := n.String() + " is not carried over"
	if why := instead[n.Name()]; why != "" {
		text += ": " + why
	}
	return lost(n.Line, "%s", text)
}

// instead has our counterpart of each keyword.
var instead = map[string]string{
	"bfd_instance":           "nothing here speaks BFD",
	"track_file":             "a file in maintenancedir takes a real server out, and sets its weight with maintenanceorders",
	"BFD_CHECK":              "nothing here speaks BFD; checktype = ping with a short checkinterval comes near",
	"digest":                 "receive compares the text itself, with a pattern",
	"enable_script_security": "check warns of commands that others may change, and none is held back",
	"FILE_CHECK":             "a file in maintenancedir takes a real server out, and sets its weight with maintenanceorders",
	"ha_suspend":             "a standby checks, too, so that it can take over at once",
	"helo_name":              "localhost.localdomain is sent",
	"lvs_flush":              "what the table has beside the virtual services of the file stays",
	"lvs_flush_on_stop":      "see cleanstop: a stop removes the virtual services of the file",
	"lvs_flush_onstop":       "see cleanstop: a stop removes the virtual services of the file",
	"lvs_notify_fifo":        "notifycommand is run for every event",
	"lvs_notify_fifo_script": "notifycommand is run for every event",
	"net_namespace":          "start ldirectord in it: ip netns exec",
	"net_namespace_ipvs":     "start ldirectord in the one of the checks; the table is there, too",
	"nftables_ipvs":          "each address of a group is a virtual service",
	"notify_down":            "notifycommand is run for every event",
	"notify_up":              "notifycommand is run for every event",
	"omega":                  "stopcommands = yes runs quorumcommand with down when the daemon stops",
	"persistence_engine":     "the kernel's sip engine is not set up",
	"sorry_server_inhibit":   "a fallback out of service is not in the table",
	"script_user":            "see checkuser, which is for all commands",
	"smtp_helo_name":         "the host's name is sent",
	"static_ipaddress":       "the host's own addresses are set up by its system",
	"static_routes":          "the host's own routes are set up by its system",
	"static_rules":           "the host's own rules are set up by its system",
	"user":                   "see checkuser, which is for all commands",
	"bind_port":              "the kernel chooses a free port",
	"regex_max_offset":       "receivebytes limits what is read",
	"regex_min_offset":       "the whole answer is searched",
	"regex_stack":            "patterns need no stack",
	"vrrp_instance":          movesAddresses,
	"vrrp_script":            movesAddresses,
	"vrrp_sync_group":        movesAddresses,
}

const movesAddresses = "addresses are moved by Pacemaker, heartbeat or keepalived itself"

// virtualServer makes the services of one block: several of a group.
func (f *keepalivedFile) virtualServer(n *node) (parts []*part) {
	if group := f.groups[n.Word(1)]; group != nil && n.Word(0) == "group" {
		if f.copied += group.Size(); f.copied > maxCopied {
			return []*part{{line: n.Line, notes: []note{lost(n.Line, "%s is left out: groups have too many lines", n)}}}
		}
	}
	places, notes := placesOf(n, f.groups, 1+(maxCopied-f.copied)/(16+n.Size()))
	f.copied += max(0, len(places)-1) * (16 + n.Size())
	var unknown []note
	withoutRefused(n, func(u note) { unknown = append(unknown, u) })
	for _, at := range places {
		k := virtualReader{
			part:      &part{line: n.Line, notes: slices.Clone(unknown), service: &service{address: at.address, ipv6: at.ipv6}},
			node:      n,
			mail:      f.mail,
			forward:   "masq",                                                  // keepalived's default
			weight:    "1",                                                     // keepalived's default
			inherited: settings{interval: "60", timeout: "5", leastRetries: 1}, // keepalived's defaults
		}
		if at.mark {
			k.part.service.protocol, k.family = "fwm", at.family
		}
		k.read()
		parts = append(parts, k.part)
	}
	if len(notes) > 0 {
		parts = append(parts, &part{line: n.Line, notes: notes})
	}
	return parts
}

// A virtualReader is one virtual service during its reading.
type virtualReader struct {
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

func (k *virtualReader) add(n note) { k.part.notes = append(k.part.notes, n) }

func (k *virtualReader) read() {
	s := k.part.service
	// What holds for all real servers may follow them.
	for _, c := range k.node.Block {
		k.directive(c)
	}
	k.defaults()
	reals := slices.DeleteFunc(slices.Clone(k.node.Block), func(c *node) bool { return c.Name() != "real_server" })
	if s.protocol == "fwm" {
		k.markFamily(reals)
	}
	if len(reals) == 0 {
		k.add(chosen(k.node.Line, "%s has no real servers: keepalived 2.2 leaves it out", k.node))
	}
	for _, c := range reals {
		k.realServer(c)
	}
	if sorry := k.node.Child("sorry_server"); sorry != nil {
		k.sorry(sorry)
	}
	if s.persistent > 0 && s.netmask != "" && !isNetmask(s.netmask, s.ipv6) {
		k.add(lost(k.node.Line, "persistence_granularity %s is no netmask of this address family", s.netmask))
		s.netmask = ""
	}
	k.quiescence(reals)
	k.quorum()
	k.mails(reals)
	k.chooseChecks()
	if s.protocol == "sctp" {
		k.part.service, k.part.notes = nil, []note{lost(k.node.Line, "%s is left out: it is sctp, and ldirectord has tcp and udp", k.node)}
	}
}

// defaults sets what keepalived sets by itself, and not as one expects.
func (k *virtualReader) defaults() {
	s := k.part.service
	if s.protocol == "" {
		s.protocol = "udp"
		k.add(chosen(k.node.Line, "%s has no protocol: keepalived serves udp then", k.node))
	}
	if s.ops && s.protocol != "udp" && s.protocol != "fwm" {
		s.ops = false
		k.add(lost(k.node.Line, "ops is left out: keepalived takes it with udp and marks only"))
	}
	if s.persistent > 0 {
		return
	}
	at, err := netip.ParseAddrPort(s.address)
	switch {
	case s.netmask != "":
		s.persistent = defaultPersistence
		k.add(chosen(k.node.Line, "persistence_granularity alone makes it persistent for %d seconds there, too", defaultPersistence))
	case err == nil && at.Port() == 0 && s.protocol != "fwm":
		s.persistent = defaultPersistence
		k.add(chosen(k.node.Line, "without a port it is persistent for %d seconds there, too", defaultPersistence))
	}
}

// defaultPersistence is keepalived's, in seconds.
const defaultPersistence = 360

// mails makes emailalert of a virtual service, if not all have it.
func (k *virtualReader) mails(reals []*node) {
	if !k.mail.wantedBy(k.node) {
		return
	}
	if k.mail.inBlocks {
		k.part.service.policy = append(k.part.service.policy, k.mail.alert())
	}
	for _, c := range reals {
		if !k.mail.wantedByReal(c) {
			k.add(chosen(c.Line, "%s sends no mails there: emailalert is for the whole virtual service", c))
		}
	}
}

// quiescence makes quiescent of inhibit_on_failure, which each real server may have for itself.
func (k *virtualReader) quiescence(reals []*node) {
	var with, without []string
	for _, c := range reals {
		own := k.inherited
		for _, o := range c.Block {
			own.take(o, func(note) {})
		}
		if own.quiescent {
			with = append(with, c.Word(0))
		} else {
			without = append(without, c.Word(0))
		}
	}
	if len(with) == 0 {
		return
	}
	if len(without) > 0 {
		k.add(lost(k.node.Line, "inhibit_on_failure of %s only: quiescent is for the whole virtual service, and %s stay in the table, too, with weight 0",
			strings.Join(with, ", "), strings.Join(without, ", ")))
	}
	k.part.service.policy = append(k.part.service.policy, "quiescent = yes")
}

// markFamily takes the family of a mark's service from its real servers.
func (k *virtualReader) markFamily(reals []*node) {
	family := k.family
	if n := k.node.Child("ip_family"); n != nil && family == "" {
		family = n.Word(0)
	}
	if family != "" {
		k.part.service.ipv6 = family == "inet6"
		return
	}
	for _, c := range reals {
		if a, ok := parseAddr(withoutRange(c.Word(0))); ok {
			k.part.service.ipv6 = a.Is6()
			return
		}
	}
}

// keepalivedSchedulers are those of lvs_sched.
var keepalivedSchedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"}

var keepalivedForwards = map[string]string{"NAT": "masq", "DR": "gate", "TUN": "ipip"}

// forwarding reads a forwarding method with what may follow it.
func forwarding(n *node, otherwise string) (string, []note) {
	forward, ok := keepalivedForwards[n.Word(0)]
	if !ok {
		return otherwise, []note{lost(n.Line, "%s is not known, %s is taken", n, otherwise)}
	}
	if len(n.Words) > 2 && n.All() != "TUN type ipip" {
		return forward, []note{lost(n.Line, "%s: only ipip tunnels are known, without options", n)}
	}
	return forward, nil
}

func (k *virtualReader) directive(n *node) {
	s := k.part.service
	switch n.Name() {
	case "real_server", "sorry_server", "sorry_server_lvs_method", "quorum", "hysteresis", "quorum_up", "quorum_down", "omega", "hashed":
	case "lb_algo", "lvs_sched":
		if slices.Contains(keepalivedSchedulers, n.Word(0)) {
			s.scheduler = n.Word(0)
		} else {
			k.add(lost(n.Line, "%s: keepalived knows no such scheduler", n))
		}
	case "lb_kind", "lvs_method":
		forward, notes := forwarding(n, k.forward)
		k.forward = forward
		k.part.notes = append(k.part.notes, notes...)
	case "protocol":
		k.protocol(n)
	case "persistence_timeout":
		if n.Word(0) == "" {
			s.persistent = defaultPersistence
		} else if seconds, err := strconv.Atoi(n.Word(0)); err == nil && seconds > 0 && seconds <= longestTimeout {
			s.persistent = seconds
		} else {
			k.add(lost(n.Line, "%s: that is no time", n))
		}
	case "persistence_granularity":
		if s.netmask = n.Word(0); s.netmask == "" {
			k.add(notCarried(n))
		}
	case "ops":
		s.ops = true
	case "ip_family":
		if at, err := netip.ParseAddrPort(s.address); n.Word(0) != "inet" && n.Word(0) != "inet6" || err == nil && at.Addr().Is6() != (n.Word(0) == "inet6") {
			k.add(lost(n.Line, "%s: that is not the address family", n))
		}
	case "alpha": // no real server gets traffic before its first good check here
	case "inhibit_on_failure": // without a word behind it there
		k.inherited.quiescent = true
	case "smtp_alert": // that of a real server is in mailSettings
		if isTrue(n) && len(k.mail.to) > 0 {
			k.add(lost(n.Line, "smtp_alert of a virtual_server: no mails are sent about the quorum; quorumcommand can"))
		}
	case "snmp_name":
		if len(n.Words) == 2 && expressible(n.Word(0)) {
			s.policy = append(s.policy, "servicename = "+n.Word(0))
		} else {
			k.add(lost(n.Line, "%s: that is not one name", n))
		}
	case "weight":
		if isNumber(n.Word(0), 1) {
			k.weight = n.Word(0)
		} else {
			k.add(notCarried(n))
		}
	default:
		if slices.Contains(schedulerFlags, n.Name()) {
			s.flags = append(s.flags, n.Name())
		} else if !k.inherited.take(n, k.add) {
			k.add(notCarried(n))
		}
	}
}

func (k *virtualReader) protocol(n *node) {
	switch protocol := strings.ToLower(n.Word(0)); protocol {
	case "tcp", "udp", "sctp":
		if k.part.service.protocol != "fwm" { // a mark has no protocol in the kernel
			k.part.service.protocol = protocol
		}
	default:
		k.add(lost(n.Line, "%s: that is no protocol", n))
	}
}
