package conf

import (
	"bytes"
	"cmp"
	"strings"
)

// adviseAddress warns of a virtual= line whose meaning differs from its look.
func (p *parser) adviseAddress(b *block) {
	v := b.v
	if ignored := trimRight(withoutComment(b.ignored)); ignored != "" {
		p.advise(v.Line, CodeIgnoredText, strings.TrimSpace(ignored)+" behind the port is ignored", hintIgnored(b))
	}
	if v.Protocol != FWM {
		return
	}
	if strings.ContainsAny(v.Name, ".:") {
		p.advise(v.Line, CodeReadAs, v.Name+" has no port, so it is firewall mark "+v.String(),
			hintMark(v.Name))
	}
	if v.Mark == 0 {
		p.refused(v.Line, "the kernel has no such firewall mark: "+v.Name, "marks are 1 to 4294967295")
	}
}

// hintIgnored suggests a meaning for the rest of a line after a virtual service's port.
func hintIgnored(b *block) string {
	ignored := strings.TrimSpace(b.ignored)
	if ignored == "{" {
		return hintForeign(ignored)
	}
	host := b.host
	if b.v.IPv6 {
		host = "[" + host + "]"
	}
	if ports, ok := strings.CutPrefix(ignored, ","); ok && alsoValue.MatchString(host+":"+ports) {
		return "for the same block at another port: " + alsoName(b.v.IPv6) + " = " + host + ":" + ports + ", in the block"
	}
	if severalAddresses(b.v.Name) {
		return hintSeveral
	}
	return "one virtual service has one port, or 0 for all, or a firewall mark"
}

func alsoName(ipv6 bool) string {
	if ipv6 {
		return "also6"
	}
	return "also"
}

// hintMark is about an address that reads as a firewall mark.
func hintMark(name string) string {
	if severalAddresses(name) {
		return hintSeveral
	}
	return "a virtual service is ADDRESS:PORT; port 0 is all ports"
}

const hintSeveral = "one virtual line has one address; for the same block at another one: also = ADDRESS:PORT, in the block"

// severalAddresses says whether an address is written like a list or a range.
func severalAddresses(text string) bool {
	return strings.Contains(text, ",") || strings.Contains(text, "->")
}

// adviseBlock warns of directives of a block that conflict, of those from outside of blocks too.
func adviseBlock(p *parser, b *block) {
	v := b.v
	p.copying = b.copied
	defer func() { p.copying = false }()
	if !b.mistaken {
		adviseWhole(p, b)
	}
	for _, r := range v.Reals {
		p.adviseReal(v, r)
	}
}

// adviseWhole warns of directives that lack another one, or of checks that do.
func adviseWhole(p *parser, b *block) {
	v := b.v
	if b.ops && v.Protocol != UDP {
		p.advise(cmp.Or(b.lines["ops"], v.Line), CodeUnusedDirective, "ops counts only with udp: "+v.ID(), "")
	}
	if v.Netmask != "" && !v.Persist {
		p.advise(v.Line, CodeUnusedDirective, "netmask counts only with persistent: "+v.ID(), "")
	}
	if v.Service == "dns" && v.CheckType == CheckNegotiate && v.Receive == "" {
		p.advise(v.Line, CodeNeverUp, "a dns check without receive never succeeds: "+v.ID(), `say what the answer has to contain: receive="10.0.0."`)
	}
	if len(b.reals) == 0 && !p.failed {
		p.advise(v.Line, CodeNoRealServers, "no real servers: "+v.ID(), "")
	}
	p.adviseCheck(b)
}

// adviseReading warns of a real= line whose address is probably not the intended
// one.
func (p *parser) adviseReading(line int, a realAddress) {
	if a.before != "" {
		p.advise(line, CodeIgnoredText, a.before+" before the address is ignored", "")
	}
	if isNumber(strings.ReplaceAll(a.from, ".", "")) && strings.Count(a.from, ".") != 3 {
		p.advise(line, CodeReadAs, a.from+" is read as a whole address", "write four numbers")
	}
}

func (p *parser) adviseReal(v *VirtualService, r *RealServer) {
	mapped := v.Protocol != FWM && r.Port != v.Port
	switch {
	case mapped && r.Port == 0 && r.Forward == Masq:
		p.advise(r.Line, CodeMasqWithoutPort, "a masq real server without a port is of no use: "+r.String(), "connections would go to its port 0")
	case mapped && r.Port != 0 && r.Forward != Masq:
		p.advise(r.Line, CodePortKept, "with "+r.Forward.String()+" the kernel keeps the virtual service's port; only the checks use that of "+r.String(),
			"use checkport for this, or masq to change the port")
	}
	if r.Addr.Is6() && r.Addr.IsLinkLocalUnicast() {
		p.refused(r.Line, "the kernel refuses a link-local address, unless it is this host's: "+r.String(), "write one that is not in fe80::/10")
	}
	if r.Lower != 0 && r.Upper == 0 {
		p.refused(r.Line, "the kernel refuses a lower threshold without an upper one: "+r.String(), "add u:N")
	}
	if v.Fallback != nil && v.Fallback.AddrPort() == r.AddrPort() {
		p.advise(r.Line, CodeFallbackIsReal, "the fallback is a real server too: "+r.String(), "")
	}
}

// adviseFile warns about the file as a whole.
func adviseFile(p *parser, text []byte) {
	if bytes.Contains(text, []byte("\r\n")) {
		p.advise(0, CodeDOSLineEnds, "the file has DOS line ends, which are part of some values", `sed -i 's/\r$//' `+p.path)
	} else if bytes.Contains(text, []byte("\r")) && !bytes.Contains(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		p.advise(0, CodeDOSLineEnds, "the lines end with CR alone: all of the file is one line", `sed -i 's/\r/\n/g' `+p.path)
	}
}

// adviseOutside warns of directives outside blocks that need another one.
func adviseOutside(p *parser) {
	adviseNames(p)
	adviseAlone(p)
	adviseNoExternal(p)
	adviseForeignSource(p)
	if p.mistaken {
		return
	}
	adviseWebhook(p)
	adviseLogs(p)
	adviseStatus(p)
	adviseNotify(p)
}

// adviseAt warns at the line of a directive outside blocks, if the files have it.
func (p *parser) adviseAt(name string, code Code, text, hint string) {
	at, given := p.lines[name]
	if !given {
		return
	}
	path := p.path
	p.path = at.path
	p.advise(at.line, code, text, hint)
	p.path = path
}
