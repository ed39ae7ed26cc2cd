package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// A packet is one of a client to a virtual service, as the packet filter sees it
// before IPVS does.
type packet struct {
	to       netip.Addr
	port     uint16
	protocol string
	begins   bool // it is the first of its connection
	tracked  bool // IPVS leaves its connections in conntrack
}

// firewall is about rules that keep clients from a virtual service.
func (c *chart) firewall(cfg *conf.Config, s Survey) {
	tracked := s.sysctl("net/ipv4/vs/conntrack") == "1"
	for _, v := range cfg.Virtuals {
		if !v.Addr.IsValid() || v.Port == 0 {
			continue
		}
		rules := s.Rules
		if v.Addr.Is6() {
			rules = s.Rules6
		}
		p := packet{to: v.Addr, port: v.Port, protocol: v.Protocol.String(), begins: true, tracked: tracked}
		accept := fmt.Sprintf("%s -I INPUT -d %s -p %s --dport %d -j ACCEPT", iptablesFor(v.Addr), v.Addr, v.Protocol, v.Port)
		if rule, dropped := p.dropped(rules); dropped {
			c.add(CodeFilterDropsAll, Error, fmt.Sprintf("the packet filter drops what clients send to %s: %s", v, rule), "IPVS sees it only after that", accept)
			continue
		}
		p.begins = false
		if rule, dropped := p.dropped(rules); dropped {
			c.add(CodeFilterDropsLater, Error, fmt.Sprintf("the packet filter lets connections to %s begin and drops what follows: %s", v, rule),
				"IPVS keeps its connections out of conntrack, so that their packets are never ESTABLISHED there", accept)
		}
	}
}

// dropped follows a packet through the INPUT chain of rules in the notation of
// iptables -S. It returns the rule, or the policy, that drops it for all clients; a
// rule with an unknown condition is skipped.
func (p packet) dropped(rules []string) (rule string, dropped bool) {
	if rule, verdict := p.follow(rules, "INPUT", 0); verdict != "" {
		return rule, verdict != "ACCEPT"
	}
	const policy = "-P INPUT DROP"
	return policy, slices.Contains(rules, policy)
}

// deepest is how deep chains may call each other; the kernel has its own limit.
const deepest = 16

// follow returns the verdict of a chain, and the rule that gave it; "" is none.
func (p packet) follow(rules []string, chain string, depth int) (rule, verdict string) {
	if depth > deepest {
		return "", ""
	}
	for _, r := range rules {
		words, ok := strings.CutPrefix(r, "-A "+chain+" ")
		if !ok {
			continue
		}
		target, matches := p.matches(strings.Fields(words))
		switch {
		case !matches, target == "":
		case target == "ACCEPT", target == "DROP", target == "REJECT":
			return r, target
		case target == "RETURN":
			return "", ""
		default:
			if rule, verdict := p.follow(rules, target, depth+1); verdict != "" {
				return rule, verdict
			}
		}
	}
	return "", ""
}

// matches reports whether a rule is for the packet, from any sender, and the rule's
// target.
func (p packet) matches(words []string) (target string, ok bool) {
	for i := 0; i < len(words); i++ {
		option := words[i]
		if option == "-j" || option == "-g" {
			if i+1 < len(words) {
				return words[i+1], true
			}
			return "", true
		}
		if option == "!" {
			return "", false
		}
		if option == "--syn" {
			if !p.begins {
				return "", false
			}
			continue
		}
		i++
		if i == len(words) {
			return "", false
		}
		value := words[i]
		if option == "--tcp-flags" {
			i++
			if i == len(words) || value != "FIN,SYN,RST,ACK" || words[i] != "SYN" || !p.begins {
				return "", false
			}
			continue
		}
		if !p.matchesOption(option, value) {
			return "", false
		}
	}
	return "", true
}

// matchesOption reports whether one condition of a rule is met.
func (p packet) matchesOption(option, value string) bool {
	switch option {
	case "-m", "--comment":
		return true
	case "-p":
		return value == p.protocol || value == "all"
	case "-d":
		network, err := netip.ParsePrefix(value)
		if err != nil {
			addr, err := netip.ParseAddr(value)
			return err == nil && addr == p.to
		}
		return network.Contains(p.to)
	case "--dport", "--dports":
		return slices.ContainsFunc(strings.Split(value, ","), p.inPorts)
	case "--state", "--ctstate":
		return slices.Contains(strings.Split(value, ","), p.state())
	}
	return false
}

// inPorts reports whether the port is PORT or in FIRST:LAST.
func (p packet) inPorts(text string) bool {
	first, last, isRange := strings.Cut(text, ":")
	if !isRange {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, err2 := strconv.ParseUint(last, 10, 16)
	return err == nil && err2 == nil && from <= uint64(p.port) && uint64(p.port) <= to
}

// state is the packet's state in conntrack. Without a connection every packet is
// the first one.
func (p packet) state() string {
	if p.begins || !p.tracked {
		return "NEW"
	}
	return "ESTABLISHED"
}
