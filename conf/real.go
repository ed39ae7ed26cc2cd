package conf

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strings"
)

// A realLine is a real= or backup= line until the end of its block.
type realLine struct {
	line   int
	text   string
	backup bool
}

// name is the directive of the line.
func (l realLine) name() string {
	if l.backup {
		return "backup"
	}
	return "real"
}

// setReal is real = HOST[->HOST][:PORT] METHOD [WEIGHT] ["REQUEST", "RECEIVE"]
// [l:N] [u:N]: one real server, or a range of them.
func setReal(at *location, value string) error { return at.addReal(value, false, false) }

// setReal6 is real6, the same for IPv6.
func setReal6(at *location, value string) error { return at.addReal(value, true, false) }

// setBackup is backup = ..., a line like real: a server that is in service only while too few
// real servers are up.
func setBackup(at *location, value string) error { return at.addReal(value, false, true) }

// setBackup6 is backup6, the same for IPv6.
func setBackup6(at *location, value string) error { return at.addReal(value, true, true) }

func (at *location) addReal(value string, ipv6, backup bool) error {
	l := realLine{at.line, value, backup}
	if at.block.v.IPv6 != ipv6 {
		return wrongFamily(l.name(), ipv6)
	}
	at.block.reals = append(at.block.reals, l)
	return nil
}

// RealCount returns how many real servers v has, without backup servers.
func (v *VirtualService) RealCount() (n int) {
	for _, r := range v.Reals {
		if !r.Backup {
			n++
		}
	}
	return n
}

var forwards = map[string]Forward{"gate": Gate, "masq": Masq, "ipip": IPIP}

var errForward = errors.New("forward method must be gate, masq or ipip")

// addReals adds the real servers of one line to v.
func (p *parser) addReals(v *VirtualService, l realLine) error {
	a, ok := realAddressOf(l.text, p.expanding && v.ResolveAll)
	if !ok {
		return errors.New("invalid address for real server (wrong format)")
	}
	p.adviseReading(l.line, a)
	found, err := realHost(p, v, a, l.line)
	if err != nil {
		if hint := hintZone(l.text); hint != "" {
			err = errors.New(hint)
		}
		err = familyCure(err, l.name(), a.port, blockOf(err))
		return because(CodeUnresolvedName, err, "invalid address ("+a.from+") for real server (could not resolve host)")
	}
	r := RealServer{Line: l.line, Host: a.from, Weight: noWeight, Backup: l.backup}
	if r.Port, err = p.realPort(a.port, v.Protocol); err != nil {
		return because(CodeUnresolvedName, err, "invalid port ("+a.port+") for real server (could not resolve port)")
	}
	last, err := p.endOfRange(found[0].Addr, a.to)
	if err != nil {
		return err
	}
	if err := p.parseRest(&r, a.after); err != nil {
		return err
	}
	if a.to == "" {
		for _, f := range found {
			one := r.at(f)
			v.Reals = append(v.Reals, &one)
		}
		return nil
	}
	for addr := found[0].Addr; ; addr = addr.Next() {
		one := r.at(Found{Addr: addr})
		one.Host = addr.String()
		v.Reals = append(v.Reals, &one)
		if addr == last {
			return nil
		}
	}
}

// noWeight is the weight of a line without one, until its real servers are known.
const noWeight = -1

// at is the real server of a line at an address. The port and the weight of the line
// count before those of a record.
func (r RealServer) at(f Found) RealServer {
	r.Addr = f.Addr
	r.Port = cmp.Or(r.Port, f.Port)
	if r.Weight == noWeight {
		r.Weight = cmp.Or(f.Weight, 1)
	}
	return r
}

// maxRange limits the addresses of one line; more is a typing error.
const maxRange = 65536

// endOfRange resolves the last address of a range that begins with first. Without a
// name it returns first.
func (p *parser) endOfRange(first netip.Addr, name string) (netip.Addr, error) {
	if name == "" {
		return first, nil
	}
	ipv6 := first.Is6()
	last, err := p.host(name, ipv6)
	if err != nil {
		return last, because(CodeUnresolvedName, err, "invalid address ("+name+") for real server (could not resolve end host)")
	}
	text := first.String() + "-" + last.String()
	switch {
	case ipv6:
		//nolint:staticcheck // the original's words
		err = errors.New("Address range for IPv6 is not supported yet")
	case last.Less(first):
		err = errors.New("Invalid Range: " + text + ": First value must be greater than or equal to the second value")
	case distance(first, last) >= maxRange:
		err = errors.New("Invalid Range: " + text + ": more than 65536 addresses")
	}
	return last, err
}

func distance(first, last netip.Addr) uint32 {
	a, b := first.As4(), last.As4()
	return (uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])) -
		(uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3]))
}

// realPort resolves a real server's port, 0 if there is none. As in the original
// the name of another protocol's port counts too.
func (p *parser) realPort(name string, protocol Protocol) (port uint16, err error) {
	if name == "" {
		return 0, nil
	}
	if port, err = p.port(name, protocol); err == nil {
		return port, nil
	}
	if port, other := p.opts.LookupPort(name, ""); other == nil {
		return port, nil
	}
	return 0, err
}

// parseRest reads the text behind the address of a real server. Each part is
// searched in the rest of the part before it, and text skipped on the way is
// ignored; only at the end no text may remain.
func (p *parser) parseRest(r *RealServer, rest string) error {
	method := word(rest, "")
	forward, ok := forwards[method]
	if !ok {
		return errForward
	}
	r.Forward = forward
	_, rest, _ = strings.Cut(rest, method)
	var err error
	if r.Check, rest, err = cutCheckUse(rest); err != nil {
		return err
	}
	rest = p.parseWeight(r, rest)
	rest = p.parseRequest(r, rest)
	rest = parseThresholds(p, r, rest)
	if trimLeft(rest) != "" {
		return errors.New(`Invalid real server line, around "` + rest + `"`)
	}
	return nil
}

// parseWeight takes the first number behind a blank: "gate -w 6" is 6.
func (p *parser) parseWeight(r *RealServer, rest string) string {
	for i := 1; i < len(rest); i++ {
		if !isDigit(rest[i]) || !isBlank(rest[i-1]) {
			continue
		}
		_, run, after := digits(rest[i:])
		r.Weight = int(number(run, math.MaxUint32))       // too much for the kernel, which refuses it
		if number(run, math.MaxUint64) > math.MaxUint32 { // else the refusal has the number
			p.refused(r.Line, fmt.Sprintf("the kernel will refuse weight %s: it takes %d at most", run, math.MaxInt32), "")
		}
		if skipped := strings.TrimSpace(rest[:i]); skipped != "" {
			p.advise(r.Line, CodeIgnoredText, skipped+" before the weight is ignored", "the weight is the number alone: "+r.Forward.String()+" "+run)
		}
		return after
	}
	return rest
}

// parseRequest takes the pair of request and receive. Unlike in the original a
// request that begins with a slash counts as well.
func (p *parser) parseRequest(r *RealServer, rest string) string {
	request, receive, after, ok := cutPair(rest)
	if !ok {
		return rest
	}
	if strings.HasPrefix(request, "/") {
		p.advise(r.Line, CodeNotLikeOriginal, "the original ldirectord ignored a request of a real server that begins with a slash, and all that followed it; here it counts", "")
	}
	p.validPattern(r.Line, "receive", receive)
	r.Request, r.Receive, r.OwnRequest = withSlash(request), receive, true
	return after
}

// cutPair finds "REQUEST","RECEIVE" behind a blank. A comma or a blank, and more
// blanks, separate the two. With more than four quotes the last possible pair
// counts, and the others belong to the request.
func cutPair(s string) (request, receive, after string, ok bool) {
	start := 1
	for ; start < len(s); start++ {
		if s[start] == '"' && isBlank(s[start-1]) {
			break
		}
	}
	end := strings.LastIndexByte(s, '"')
	for i := end - 2; i > start; i-- {
		if s[i] != '"' || s[i+1] != ',' && s[i+1] != ' ' {
			continue
		}
		if second := len(s) - len(trimLeft(s[i+2:])); second < end && s[second] == '"' {
			return s[start+1 : i], s[second+1 : end], s[end+1:], true
		}
	}
	return "", "", "", false
}

var (
	lowerThreshold = regexp.MustCompile(`[\s\v]+l:([0-9]+)`)
	upperThreshold = regexp.MustCompile(`[\s\v]+u:([0-9]+)`)
)

// parseThresholds takes l:N and u:N. Unlike in the original their order is free.
func parseThresholds(p *parser, r *RealServer, rest string) string {
	before := ""
	if !strings.Contains(rest, ":") {
		return rest
	}
	if m := lowerThreshold.FindStringSubmatchIndex(rest); m != nil {
		r.Lower = threshold(p, r, "l:", rest[m[2]:m[3]])
		before, rest = rest[:m[0]], rest[m[1]:]
	}
	if m := upperThreshold.FindStringSubmatchIndex(rest); m != nil {
		r.Upper = threshold(p, r, "u:", rest[m[2]:m[3]])
		rest = rest[m[1]:]
	} else if m := upperThreshold.FindStringSubmatch(before); m != nil {
		r.Upper = threshold(p, r, "u:", m[1])
	}
	return rest
}

// threshold is the number of l:N or u:N. A larger one than the kernel has is read as its largest.
func threshold(p *parser, r *RealServer, what, run string) uint32 {
	n := number(run, math.MaxUint64)
	if n > math.MaxUint32 {
		p.advise(r.Line, CodeHugeValue, fmt.Sprintf("%s%s is read as %d", what, run, uint32(math.MaxUint32)), "a smaller number")
	}
	return uint32(min(n, math.MaxUint32))
}
