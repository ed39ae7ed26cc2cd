package conf

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
)

// A block is a virtual service while its lines are read, before names are resolved.
type block struct {
	v        *VirtualService
	given    given  // its directives
	host     string // "" for a firewall mark
	port     string
	ignored  string // the text behind the address in its line
	fallback *fallbackLine
	reals    []realLine
	srv      bool // one of them may name SRV records
	also     []alsoLine
	end      int // the line that ended the block

	check     string // the name of a check block, "" for a virtual service
	used      bool   // a check block, by a virtual service
	alsoCheck []checkLine
	ops       bool // as the file has it
	copied    bool // by an also line
	mistaken  bool // it has a line with a mistake: what other lines lack may be meant by that one

	kernelLines []kernelLine
	lines       map[string]int // in check, and of check blocks: the line of each directive, the last one if repeated
}

func (p *parser) newBlock(s section) *block {
	v := p.unset
	v.File, v.Line = p.path, s.head.number
	return &block{end: s.end, v: &v, copied: p.copying}
}

var (
	addressWithPort  = regexp.MustCompile(`^([0-9A-Za-z._+-]+):([0-9A-Za-z_-]+)`)
	leadingDigits    = regexp.MustCompile(`^[0-9]+`)
	bracketsWithPort = regexp.MustCompile(`^\[([0-9A-Fa-f:]+)\]:([0-9A-Za-z_-]+)`)
)

// openBlock reads a virtual= line. ok is false after a mistake: then the block only
// serves to find mistakes in its other lines.
func (p *parser) openBlock(s section) (b *block, ok bool) {
	b = p.newBlock(s)
	text := s.head.text()
	name, value, equals := splitDirective(text)
	wrong := !equals || !isVirtual(name)
	if wrong {
		p.report(p.unknown(s.head, nil, ""))
		name, value = mended(text)
	}
	b.v.IPv6 = name == "virtual6"
	b.v.Name = trimRight(value)
	if err := b.setAddress(value); err != nil {
		if wrong { // the line has its mistake
			return b, false
		}
		p.fail(s.head.number, err, "virtual", value)
		return b, false
	}
	if !wrong {
		p.adviseAddress(b)
	}
	return b, true
}

// setAddress splits a virtual service's address. The text behind it is ignored.
func (b *block) setAddress(value string) error {
	if m := addressWithPort.FindStringSubmatch(value); m != nil {
		b.host, b.port, b.ignored = m[1], m[2], value[len(m[0]):]
	} else if mark := leadingDigits.FindString(value); mark != "" {
		b.v.Protocol = FWM
		if n := number(mark, math.MaxUint64); n <= math.MaxUint32 { // otherwise 0, which the kernel refuses too
			b.v.Mark = uint32(n)
		}
		return nil
	} else if m := bracketsWithPort.FindStringSubmatch(value); m != nil {
		if !b.v.IPv6 {
			return coded(CodeWrongFamily, `cannot specify an IPv6 address here. please use "virtual6" instead.`)
		}
		if _, err := netip.ParseAddr(m[1]); err != nil {
			return errors.New("invalid ipv6 address for virtual server")
		}
		b.host, b.port, b.ignored = m[1], m[2], value[len(m[0]):]
	} else {
		return errors.New("invalid address for virtual server")
	}
	if b.port == "53" || b.port == "domain" {
		b.v.Protocol = UDP
	}
	return nil
}

// closeBlock resolves the names of a block, in the order of the original's errors.
func (p *parser) closeBlock(b *block) {
	v := b.v
	if b.fallback != nil {
		p.fail(b.fallback.line, p.resolveFallback(b), "fallback", b.fallback.host)
	}
	if p.stopped() {
		return
	}
	if err := p.resolveVirtual(b); err != nil {
		err = familyCure(err, "virtual", b.port, "")
		p.fail(v.Line, because(CodeUnresolvedName, err, "invalid address for virtual service"), "virtual", v.Name)
		return
	}
	if v.Service == "" {
		v.Service = serviceOfPort(v.Port)
	}
	v.Reals = slices.Grow(v.Reals, len(b.reals))
	for _, l := range b.reals {
		if p.stopped() {
			return
		}
		if srvLine.MatchString(l.text) {
			b.srv = true
			continue
		}
		p.fail(l.line, p.addReals(v, l), l.name(), l.text)
	}
	if p.stopped() {
		return
	}
	p.dropRepeated(v)
	key := serviceKey{v.Protocol, netip.AddrPortFrom(v.Addr, v.Port), v.Mark, v.IPv6}
	if first, ok := p.services[key]; ok {
		cause := fmt.Errorf("%s of line %d is in %s already", v.ID(), v.Line, LineIn(p.path, first.File, first.Line))
		p.fail(b.end, because(CodeDuplicateService, cause, "duplicate virtual server"), "virtual", v.Name)
		return
	}
	p.services[key] = v
	p.blocks = append(p.blocks, b)
	b.ops, v.OPS = v.OPS, v.OPS && v.Protocol == UDP
}

// dropRepeated keeps one of each repeated real server: the kernel cannot tell them
// apart, and the last one counts.
func (p *parser) dropRepeated(v *VirtualService) {
	if inAscendingOrder(v.Reals) {
		return // no duplicates are possible
	}
	index := make(map[netip.AddrPort]int, len(v.Reals))
	reals := v.Reals[:0]
	for _, r := range v.Reals {
		if i, ok := index[r.AddrPort()]; ok {
			p.advise(r.Line, CodeRepeatedReal, fmt.Sprintf("real server %s is in line %d already; the last one counts", r, reals[i].Line), "")
			reals[i] = r
			continue
		}
		index[r.AddrPort()] = len(reals)
		reals = append(reals, r)
	}
	v.Reals = reals
}

func inAscendingOrder(reals []*RealServer) bool {
	for i := 1; i < len(reals); i++ {
		if reals[i-1].AddrPort().Compare(reals[i].AddrPort()) >= 0 {
			return false
		}
	}
	return true
}

func (p *parser) resolveVirtual(b *block) (err error) {
	if b.v.Protocol == FWM {
		return nil
	}
	if b.v.Addr, err = p.host(b.host, b.v.IPv6); err != nil {
		return err
	}
	b.v.Port, err = p.port(b.port, b.v.Protocol)
	return err
}
