package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

type hostKey struct {
	name string
	ipv6 bool
}

type hostResult struct {
	addr netip.Addr
	err  error
}

// host resolves a name or a literal address; IPv6 literals may be in brackets. An
// empty name is this machine, as in the C library.
func (p *parser) host(name string, ipv6 bool) (netip.Addr, error) {
	if inner, ok := strings.CutPrefix(name, "["); ok && strings.HasSuffix(inner, "]") {
		name = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(name)
	switch {
	case err == nil && addr.Zone() == "":
	case name == "":
		return loopback(ipv6), nil
	case strings.Trim(name, "0123456789.") == "" || strings.Contains(name, ":"):
		addr, err = numericIPv4(name)
	default:
		addr, err = p.lookUp(hostKey{name, ipv6})
	}
	if err == nil && addr.Is4() == ipv6 {
		return netip.Addr{}, familyError{addr: addr}
	}
	return addr, err
}

// lookUp calls the resolver, once for each name.
func (p *parser) lookUp(key hostKey) (netip.Addr, error) {
	known, ok := p.hosts[key]
	if !ok {
		known.addr, known.err = p.opts.LookupHost(key.name, key.ipv6)
		p.hosts[key] = known
	}
	return known.addr, known.err
}

func loopback(ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// numericIPv4 reads an address as inet_aton(3) does: one to four numbers, of which
// the last fills the remaining bytes; a leading 0 makes a number octal. For the
// original 192.168.001.010 was 192.168.1.8, known to the author or not.
func numericIPv4(s string) (netip.Addr, error) {
	invalid := fmt.Errorf("%s is no IP address", s)
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, invalid
	}
	var address uint64
	for i, part := range parts {
		base := 10
		if len(part) > 1 && part[0] == '0' {
			base = 8
		}
		n, err := strconv.ParseUint(part, base, 32)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return netip.Addr{}, invalid
		}
		address = address<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}), nil
}

// port resolves a port's number or name.
func (p *parser) port(name string, protocol Protocol) (uint16, error) {
	if isNumber(name) {
		n := number(name, math.MaxUint32)
		if n > math.MaxUint16 {
			return 0, fmt.Errorf("port %s is above 65535", name)
		}
		return uint16(n), nil
	}
	return p.opts.LookupPort(name, protocol.String())
}

// A portsByName is the content of /etc/services, by "PROTOCOL/NAME", and by "/NAME"
// for the first protocol.
type portsByName map[string]uint16

func readServices() (portsByName, error) {
	text, err := os.ReadFile("/etc/services")
	if err != nil {
		return nil, err
	}
	return parseServices(string(text)), nil
}

// parseServices reads lines of "name port/protocol alias...". Names are case
// sensitive, and the first one counts, as in getservbyname(3).
func parseServices(text string) portsByName {
	s := make(portsByName)
	for l := range strings.Lines(text) {
		fields := strings.Fields(withoutComment(l))
		if len(fields) < 2 {
			continue
		}
		number, protocol, _ := strings.Cut(fields[1], "/")
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			continue
		}
		fields[1] = fields[0]
		for _, name := range fields[1:] {
			for _, key := range []string{protocol + "/" + name, "/" + name} {
				if _, ok := s[key]; !ok {
					s[key] = uint16(port)
				}
			}
		}
	}
	return s
}

func (s portsByName) port(name, protocol string) (uint16, error) {
	port, ok := s[protocol+"/"+name]
	if !ok {
		return 0, fmt.Errorf("%s/%s is not in /etc/services", name, protocol)
	}
	return port, nil
}

// reason is an error of the file system in the words of strerror(3).
func reason(err error) string {
	var errno syscall.Errno
	var path *fs.PathError
	switch {
	case errors.As(err, &errno):
		words := []rune(errno.Error())
		words[0] = unicode.ToUpper(words[0])
		return string(words)
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}
