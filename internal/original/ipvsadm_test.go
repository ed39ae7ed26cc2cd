//go:build long

package original

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/ipvs"
)

// parseCommand reads the words of a command line of ipvsadm 1.31 that adds or
// edits, as ipvsadm does: numbers are decimal, and gate and ipip destinations
// get the service's port. ok is false for what ipvsadm refuses, and for the rest.
func parseCommand(words []string) (c ipvs.Change, ok bool) {
	op, ok := map[string]ipvs.Op{
		"-A": ipvs.AddService, "-E": ipvs.EditService, "-a": ipvs.AddDestination, "-e": ipvs.EditDestination,
	}[word(words, 1)]
	if !ok {
		return c, false
	}
	c.Op = op
	masquerade, mask, flags := false, "", ""
	for i := 2; i < len(words) && ok; i++ {
		value := word(words, i+1)
		used := true
		switch words[i] {
		case "-t", "-u":
			c.Service.Protocol = map[string]ipvs.Protocol{"-t": ipvs.TCP, "-u": ipvs.UDP}[words[i]]
			var at netip.AddrPort
			at, ok = address(value)
			c.Service.Key = ipvs.AddrKey(c.Service.Protocol, at)
		case "-f":
			n, err := strconv.ParseUint(value, 10, 32)
			c.Service.Mark, ok = uint32(n), err == nil && n > 0
		case "-s":
			c.Service.Scheduler = value
		case "-p":
			n, err := strconv.ParseUint(value, 10, 64)
			if err == nil {
				c.Service.Timeout, err = ipvs.ParseTimeout(n)
			}
			c.Service.Flags |= ipvs.FlagPersistent
			ok = err == nil
		case "-M":
			mask = value
		case "-b":
			flags = strings.Trim(value, `"'`)
		case "-x", "-y":
			n, err := strconv.ParseUint(value, 10, 32)
			ok = err == nil
			if words[i] == "-x" {
				c.Destination.Upper = uint32(n)
			} else {
				c.Destination.Lower = uint32(n)
			}
		case "-r":
			c.Destination.AddrPort, ok = address(value)
		case "-w":
			n, err := strconv.ParseUint(value, 10, 31)
			c.Destination.Weight, ok = int(n), err == nil
		default:
			used = false
			switch words[i] {
			case "-6":
				c.Service.IPv6 = true
			case "-o", "--ops":
				c.Service.Flags |= ipvs.FlagOnePacket
			case "-m":
				masquerade = true
			case "-g":
				c.Destination.Forward = ipvs.Route
			case "-i":
				c.Destination.Forward = ipvs.Tunnel
			default:
				ok = false
			}
		}
		if used {
			i++
		}
	}
	if masquerade {
		c.Destination.Forward = ipvs.Masq
	}
	return c, ok && finish(&c, mask, flags)
}

// finish reads what depends on other options.
func finish(c *ipvs.Change, mask, flags string) bool {
	netmask, err := ipvs.ParseNetmask(mask, c.Service.IPv6)
	if err != nil {
		return false
	}
	c.Service.Netmask = netmask
	f, err := ipvs.ParseSchedFlags(c.Service.Scheduler, flags)
	if err != nil {
		return false
	}
	c.Service.Flags |= f
	at := c.Destination.AddrPort
	c.Destination.AddrPort = netip.AddrPortFrom(at.Addr(), c.Service.DestinationPort(c.Destination.Forward, at.Port()))
	return true
}

// address is ADDRESS:PORT, the port a decimal number that may begin with zeros,
// or none.
func address(s string) (netip.AddrPort, bool) {
	host, port := s, "0"
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, ']') {
		host, port = s[:colon], s[colon+1:]
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	n, portErr := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(addr, uint16(n)), err == nil && portErr == nil
}

func word(words []string, i int) string {
	if i >= len(words) {
		return ""
	}
	return words[i]
}
