// Package importer makes an ldirectord.cf to start from out of what describes a
// cluster elsewhere: a dump of the kernel's table ("ipvsadm -S -n") or the
// virtual_server blocks of a keepalived.conf. It is text to text and knows no
// other package of ours.
package importer

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Import turns text into an ldirectord.cf. What is not carried over is said in
// notes; lines are counted from 1. The error is that nothing was found at all.
func Import(text string) (config string, notes []string, err error) {
	read := fromDump
	if strings.Contains(text, "virtual_server") {
		read = fromKeepalived
	}
	services, notes := read(text)
	if len(services) == 0 {
		return "", notes, errors.New("there is neither a line of ipvsadm -S -n nor a virtual_server block")
	}
	var b strings.Builder
	b.WriteString("# Made by ldirectord import. What a dump cannot tell is how real servers are\n# checked: look at each service. ldirectord FILE check says what is wrong.\n\nchecktimeout = 5\ncheckinterval = 10\nquiescent = no\n")
	for _, s := range services {
		b.WriteByte('\n')
		s.write(&b)
	}
	return b.String(), notes, nil
}

// A service is a virtual service as both sources describe it.
type service struct {
	address    string // "10.0.0.1:80", "[fd00::1]:80" or a firewall mark
	ipv6       bool
	protocol   string // tcp, udp, fwm
	scheduler  string
	flags      string
	persistent int // seconds, 0 is none
	netmask    string
	ops        bool
	fallback   string
	reals      []realServer
	check      []string // directives
}

// A realServer is one of a service.
type realServer struct {
	address      string
	forward      string // gate, masq, ipip
	weight       string
	lower, upper string
}

// write writes the service as a block.
func (s *service) write(b *strings.Builder) {
	six := ""
	if s.ipv6 {
		six = "6"
	}
	fmt.Fprintf(b, "virtual%s = %s\n", six, s.address)
	for _, r := range s.reals {
		fmt.Fprintf(b, "    real%s = %s %s %s", six, r.address, r.forward, cmp.Or(r.weight, "1"))
		if r.lower != "" {
			b.WriteString(" l:" + r.lower)
		}
		if r.upper != "" {
			b.WriteString(" u:" + r.upper)
		}
		b.WriteByte('\n')
	}
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "    %s = %s\n", name, value)
		}
	}
	if s.fallback != "" {
		line("fallback"+six, s.fallback)
	}
	if s.protocol != "fwm" {
		line("protocol", s.protocol)
	}
	line("scheduler", cmp.Or(s.scheduler, "wlc"))
	line("schedflags", s.flags)
	if s.persistent > 0 {
		line("persistent", strconv.Itoa(s.persistent))
		line("netmask", s.netmask)
	}
	if s.ops {
		line("ops", "yes")
	}
	for _, directive := range s.checks() {
		fmt.Fprintf(b, "    %s\n", directive)
	}
}

// checks are the directives of how real servers are checked: those that were
// found, else what fits the port.
func (s *service) checks() []string {
	if len(s.check) > 0 {
		return s.check
	}
	if s.protocol == "udp" {
		return []string{"checktype = ping"}
	}
	at, err := netip.ParseAddrPort(s.address)
	if err != nil { // a mark
		return []string{"checktype = ping"}
	}
	switch at.Port() {
	case 80:
		return []string{"service = http", `request = "/"`}
	case 443:
		return []string{"service = https", `request = "/"`, "sslverify = no"}
	}
	return []string{"checktype = connect"}
}
