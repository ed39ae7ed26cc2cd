package conf

import (
	"net/netip"
	"regexp"
)

// A fallbackLine is the value of a fallback= line.
type fallbackLine struct {
	line    int
	host    string
	port    string // "" is the virtual service's
	forward Forward
}

// A globalFallback is a fallback outside blocks, resolved for any virtual service.
type globalFallback struct {
	Fallback
	hasPort bool
	udpPort uint16 // Port is for the other protocols
}

// setFallback is fallback = HOST[:PORT] [METHOD]: the server for connections while
// no real server is in service.
func setFallback(at *location, value string) error { return at.addFallback(value, false) }

// setFallback6 is fallback6, the same for IPv6.
func setFallback6(at *location, value string) error { return at.addFallback(value, true) }

func (at *location) addFallback(value string, ipv6 bool) error {
	if at.block != nil && at.block.v.IPv6 != ipv6 {
		return wrongFamily("fallback", ipv6)
	}
	l, err := parseFallback(value)
	if err != nil {
		return err
	}
	l.line = at.line
	if l.host == "" {
		at.advise(at.line, CodeFallbackIsHere, "fallback without an address is this machine itself", "")
	}
	if at.block != nil {
		at.block.fallback = &l
		return nil
	}
	g, err := at.resolveGlobalFallback(l, ipv6)
	if err != nil {
		return err
	}
	if ipv6 {
		at.fallback6 = g
	} else {
		at.fallback = g
	}
	return nil
}

// wrongFamily is the error of a directive in a block of the other family.
func wrongFamily(name string, ipv6 bool) error {
	other := name + "6"
	if ipv6 {
		name, other = other, name
	}
	return coded(CodeWrongFamily, `cannot specify "`+name+`" here.  please use "`+other+`" instead`)
}

var (
	lastWords    = regexp.MustCompile(`([^\s\v]+)(?:[\s\v]+([^\s\v]+))?[\s\v]*$`)
	hostWithPort = regexp.MustCompile(`^(.*):([0-9A-Za-z_-]+)$`)
)

// parseFallback reads a fallback's value: the last two words count, or the only
// one.
func parseFallback(value string) (l fallbackLine, err error) {
	m := lastWords.FindStringSubmatch(value)
	if m == nil {
		return l, nil
	}
	if m[2] != "" {
		var ok bool
		if l.forward, ok = forwards[m[2]]; !ok {
			return l, errForward
		}
	}
	l.host = m[1]
	if m := hostWithPort.FindStringSubmatch(l.host); m != nil {
		l.host, l.port = m[1], m[2]
	}
	return l, nil
}

const invalidFallbackPort = "invalid port for fallback server"

// resolveGlobalFallback resolves a fallback for virtual services of either
// protocol: a port's name must exist for both.
func (p *parser) resolveGlobalFallback(l fallbackLine, ipv6 bool) (*globalFallback, error) {
	addr, err := p.fallbackHost(l, ipv6, false)
	if err != nil {
		return nil, err
	}
	g := &globalFallback{Fallback: Fallback{File: p.path, Line: l.line, Addr: addr, Forward: l.forward}}
	if l.port == "" {
		return g, nil
	}
	g.hasPort = true
	if g.Port, err = p.port(l.port, TCP); err != nil {
		return nil, because(CodeUnresolvedName, err, invalidFallbackPort)
	}
	if g.udpPort, err = p.port(l.port, UDP); err != nil {
		return nil, because(CodeUnresolvedName, err, invalidFallbackPort)
	}
	return g, nil
}

// resolveFallback resolves a block's own fallback.
func (p *parser) resolveFallback(b *block) error {
	l, v := b.fallback, b.v
	addr, err := p.fallbackHost(*l, v.IPv6, true)
	if err != nil {
		return err
	}
	name := l.port
	if name == "" {
		name = b.port
	}
	var port uint16
	if name != "" {
		if port, err = p.port(name, v.Protocol); err != nil {
			return because(CodeUnresolvedName, err, invalidFallbackPort)
		}
	}
	v.Fallback = &Fallback{File: p.path, Line: l.line, Addr: addr, Port: port, Forward: l.forward}
	return nil
}

// fallbackHost resolves the address of a fallback, of a block or of all.
func (p *parser) fallbackHost(l fallbackLine, ipv6, ofBlock bool) (netip.Addr, error) {
	addr, err := p.host(l.host, ipv6)
	if err != nil {
		place := ""
		if ofBlock {
			place = blockOf(err)
		}
		err = familyCure(err, "fallback", l.port, place)
		family := "IPv4"
		if ipv6 {
			family = "IPv6"
		}
		return addr, because(CodeUnresolvedName, err, "invalid "+family+" address or could not resolve for fallback server: "+l.host)
	}
	return addr, nil
}

// globalFallbackFor is the global fallback for v, nil if there is none. Unlike in
// the original it also counts for firewall marks.
func (p *parser) globalFallbackFor(v *VirtualService) *Fallback {
	g := p.fallback
	if v.IPv6 {
		g = p.fallback6
	}
	if g == nil {
		return nil
	}
	f := g.Fallback
	switch {
	case !g.hasPort:
		f.Port = v.Port
	case v.Protocol == UDP:
		f.Port = g.udpPort
	}
	return &f
}
