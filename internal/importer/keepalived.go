package importer

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A node is a keyword of a keepalived.conf with its words, and its block.
type node struct {
	line  int
	words []string
	block []*node
}

func (n *node) name() string { return n.words[0] }

// word is the i-th word behind the keyword, "" if there is none.
func (n *node) word(i int) string {
	if i+1 < len(n.words) {
		return n.words[i+1]
	}
	return ""
}

// parseKeepalived reads blocks in braces; "#" and "!" begin comments.
func parseKeepalived(text string) *node {
	root := &node{words: []string{""}}
	stack := []*node{root}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if i := strings.IndexAny(line, "#!"); i >= 0 {
			line = line[:i]
		}
		line = strings.NewReplacer("{", " { ", "}", " } ").Replace(line)
		var current *node
		for word := range strings.FieldsSeq(line) {
			top := stack[len(stack)-1]
			switch word {
			case "{":
				if current == nil && len(top.block) > 0 { // the brace has a line of its own
					current = top.block[len(top.block)-1]
				}
				if current != nil {
					stack = append(stack, current)
				}
				current = nil
			case "}":
				stack = stack[:max(1, len(stack)-1)]
				current = nil
			default:
				if current == nil {
					current = &node{line: number}
					top.block = append(top.block, current)
				}
				current.words = append(current.words, strings.Trim(word, `"`))
			}
		}
	}
	return root
}

// fromKeepalived reads the virtual_server blocks of a keepalived.conf.
func fromKeepalived(text string) (services []*service, notes []string) {
	for _, n := range parseKeepalived(text).block {
		if n.name() != "virtual_server" {
			notes = append(notes, fmt.Sprintf("line %d: %s is not carried over", n.line, n.name()))
			continue
		}
		k := keepalived{service: &service{protocol: "tcp"}, forward: "masq"}
		k.read(n)
		notes = append(notes, k.notes...)
		if k.service.address != "" {
			services = append(services, k.service)
		}
	}
	return services, notes
}

// A keepalived is one virtual_server that is being read.
type keepalived struct {
	service *service
	forward string
	notes   []string
}

func (k *keepalived) note(n *node, what string) {
	k.notes = append(k.notes, fmt.Sprintf("line %d: %s %s", n.line, strings.Join(n.words, " "), what))
}

func (k *keepalived) read(n *node) {
	if n.word(0) == "fwmark" {
		k.service.protocol, k.service.address = "fwm", n.word(1)
	} else if at, ok := joinPort(n.word(0), n.word(1)); ok {
		k.service.address, k.service.ipv6 = at.String(), at.Addr().Is6()
	} else {
		k.note(n, "is left out: it is no address and port")
		return
	}
	// What holds for all real servers may stand behind them.
	for _, c := range n.block {
		k.directive(c)
	}
	for _, c := range n.block {
		if c.name() == "real_server" {
			k.realServer(c)
		}
	}
}

var keepalivedForwards = map[string]string{"NAT": "masq", "DR": "gate", "TUN": "ipip"}

func (k *keepalived) directive(n *node) {
	s := k.service
	switch n.name() {
	case "real_server":
	case "lb_algo", "lvs_sched":
		s.scheduler = n.word(0)
	case "lb_kind", "lvs_method":
		forward, ok := keepalivedForwards[n.word(0)]
		if !ok {
			k.note(n, "is not known, masq is taken")
			return
		}
		k.forward = forward
	case "protocol":
		s.protocol = strings.ToLower(n.word(0))
	case "persistence_timeout":
		s.persistent = 360
		if seconds, err := strconv.Atoi(n.word(0)); err == nil {
			s.persistent = seconds
		}
	case "persistence_granularity":
		s.netmask = n.word(0)
	case "ops":
		s.ops = true
	case "delay_loop":
		s.check = append(s.check, "checkinterval = "+n.word(0))
	case "sorry_server":
		if at, ok := joinPort(n.word(0), n.word(1)); ok {
			s.fallback = at.String() + " " + k.forward
		}
	default:
		k.note(n, "is not carried over")
	}
}

func (k *keepalived) realServer(n *node) {
	at, ok := joinPort(n.word(0), n.word(1))
	if !ok {
		k.note(n, "is left out: it is no address and port")
		return
	}
	r := realServer{address: at.String(), forward: k.forward, weight: "1"}
	for _, c := range n.block {
		switch c.name() {
		case "weight":
			r.weight = c.word(0)
		case "uthreshold":
			r.upper = c.word(0)
		case "lthreshold":
			r.lower = c.word(0)
		case "lvs_method", "lb_kind":
			if forward, ok := keepalivedForwards[c.word(0)]; ok {
				r.forward = forward
			}
		case "inhibit_on_failure":
			k.check("quiescent = yes")
		default:
			k.checker(c)
		}
	}
	k.service.reals = append(k.service.reals, r)
}

// check adds a directive, once.
func (k *keepalived) check(directive string) {
	if !slices.Contains(k.service.check, directive) {
		k.service.check = append(k.service.check, directive)
	}
}

// checker carries over how a real server is asked. Here all real servers of a
// service are asked alike.
func (k *keepalived) checker(n *node) {
	switch n.name() {
	case "TCP_CHECK":
		k.check("checktype = connect")
	case "PING_CHECK":
		k.check("checktype = ping")
	case "HTTP_GET":
		k.check("service = http")
	case "SSL_GET":
		k.check("service = https")
		k.check("sslverify = no")
	case "SMTP_CHECK":
		k.check("service = smtp")
	case "DNS_CHECK":
		k.check("service = dns")
	case "MISC_CHECK":
		k.check("checktype = external")
		k.note(n, "is carried over, but the command gets other arguments: see checkcommand")
	default:
		k.note(n, "is not carried over")
		return
	}
	for _, c := range n.block {
		k.checkerDirective(c)
	}
}

func (k *keepalived) checkerDirective(n *node) {
	switch n.name() {
	case "connect_timeout", "misc_timeout":
		k.check("checktimeout = " + n.word(0))
	case "connect_port":
		k.check("checkport = " + n.word(0))
	case "retry", "nb_get_retry":
		if retries, err := strconv.Atoi(n.word(0)); err == nil {
			k.check(fmt.Sprintf("failurecount = %d", retries+1))
		}
	case "misc_path":
		k.check("checkcommand = " + n.word(0))
	case "virtualhost":
		k.check("virtualhost = " + n.word(0))
	case "url":
		if slices.ContainsFunc(k.service.check, func(d string) bool { return strings.HasPrefix(d, "request ") }) {
			k.note(n, "is not carried over: there is one request")
			return
		}
		for _, c := range n.block {
			switch c.name() {
			case "path":
				k.check(fmt.Sprintf("request = %q", c.word(0)))
			case "virtualhost":
				k.check("virtualhost = " + c.word(0))
			case "status_code":
				k.check("httpstatus = " + strings.Join(c.words[1:], ","))
			default:
				k.note(c, "is not carried over")
			}
		}
	default:
		k.note(n, "is not carried over")
	}
}

// joinPort is an address and a port, which keepalived writes apart. Without a
// port it is 0.
func joinPort(addr, port string) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.AddrPort{}, false
	}
	n := uint64(0)
	if port != "" {
		if n, err = strconv.ParseUint(port, 10, 16); err != nil {
			return netip.AddrPort{}, false
		}
	}
	return netip.AddrPortFrom(a, uint16(n)), true
}
