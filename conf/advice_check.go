package conf

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/similar"
)

// note records the line of a directive, and warns of one that is repeated in a block.
func (at *location) note(d *directive) {
	if at.block == nil {
		if before, given := at.parser.lines[d.name]; given && !d.repeats && before.path == at.path {
			at.advise(at.line, CodeRepeatedDirective, fmt.Sprintf("%s is given in line %d already; the last one counts", d.name, before.line), "")
		}
		at.parser.lines[d.name] = position{at.path, at.line}
		return
	}
	if d.kernel {
		at.block.note(d.name, at.line)
	}
	if !at.all && at.block.check == "" { // closeCheckBlock names a line in an error
		return
	}
	if at.block.lines == nil {
		at.block.lines = make(map[string]int)
	}
	if _, given := at.block.lines[d.name]; given && !d.repeats {
		at.advise(at.line, CodeRepeatedDirective, d.name+" is given twice in this block; the last one counts", "")
	}
	at.block.lines[d.name] = at.line
}

// adviseCheck warns of checks that differ from the look of the block.
func (p *parser) adviseCheck(b *block) {
	v := b.v
	if !p.all || v.CheckType == CheckOn || v.CheckType == CheckOff { // the other settings are kept for later use
		return
	}
	p.adviseOrigin(b)
	negotiates := v.CheckType == CheckNegotiate || v.CheckType == CheckCombined
	if !negotiates {
		adviseUnused(p, b, "checktype="+v.CheckType.String(), nil, "checktype = negotiate, which is the default, uses them")
	}
	switch {
	case v.CheckType == CheckExternal && b.lines["checkcommand"] == 0:
		p.advise(v.Line, CodeAlwaysUp, "checktype=external without checkcommand runs /bin/true: it is always up", `checkcommand = "/path/to/program"`)
	case v.CheckType == CheckConnect && v.Protocol != UDP && v.CheckPort == 0:
		p.adviseNoPort(v)
	case negotiates:
		p.adviseService(b)
	}
}

// adviseUnused warns of directives of a block that its check does not read. reader is the
// check, and reads are the directives that it does read.
func adviseUnused(p *parser, b *block, reader string, reads []string, hint string) {
	line := 0
	var unused []string
	for _, name := range readBySome {
		if at := b.lines[name]; at != 0 && !slices.Contains(reads, name) && !slices.Contains(unused, name) {
			unused = append(unused, name)
			if line == 0 || at < line {
				line = at
			}
		}
	}
	if len(unused) == 0 {
		return
	}
	verb := " are"
	if len(unused) == 1 {
		verb = " is"
	}
	p.advise(line, CodeUnusedDirective, strings.Join(unused, " and ")+verb+" not used by "+reader, hint)
}

// adviseNoPort warns of real servers without a port to connect to.
func (p *parser) adviseNoPort(v *VirtualService) {
	for _, r := range v.Reals {
		if v.PortToCheck(r) == 0 {
			p.advise(r.Line, CodeNeverUp, "there is no port to connect to: "+r.String()+" is never up", "checkport = PORT")
			return
		}
	}
}

// adviseService warns of directives that a service's check cannot use.
func (p *parser) adviseService(b *block) {
	v := b.v
	s, _ := LookupService(v.Service)
	if b.lines["service"] != 0 {
		adviseUnused(p, b, "service="+s.Name, s.directives(), "")
	}
	if len(v.Reals) > 0 && s.tlsTo != 0 && v.PortToCheck(v.Reals[0]) == s.tlsTo {
		p.advise(v.Line, CodeNeverUp, fmt.Sprintf("port %d speaks TLS from the first byte, %s does not: it is never up", s.tlsTo, s.Name), "service = "+s.secured())
	}
	if s.query && (v.Login == "" || b.lines["request"] == 0 && !ownRequests(v)) {
		p.advise(v.Line, CodeNeverUp, "a "+v.Service+" check without login and request never succeeds: "+v.ID(), `login = "USER" and request = "SELECT 1"`)
	}
	switch v.Service {
	case "radius":
		if v.Login == "" || v.Secret == "" {
			p.advise(v.Line, CodeNeverUp, "a radius check without login and secret never succeeds: "+v.ID(), `login = "USER", passwd = "…" and secret = "…"`)
		}
	case "none":
		misread := v.Protocol == FWM && strings.ContainsAny(v.Name, ".:") // which has its warning
		if b.lines["service"] == 0 && v.CheckType == CheckNegotiate && len(v.Reals) > 0 && !misread {
			p.advise(v.Line, CodeAlwaysUp, "no service is given, and none is known for the port: nothing is checked, the real servers are always up",
				"service = NAME, or checktype = connect")
		}
	case "http", "https":
		p.adviseRequest(b)
	case "http_proxy":
		if !isURL(strings.TrimPrefix(v.Request.Reveal(), "/")) && !ownRequests(v) {
			p.advise(max(v.Line, b.lines["request"]), CodeRequestURL, "the request of http_proxy is no URL: the proxy is asked for a page of its own", `request = "http://www.example.com/"`)
		}
	}
}

// adviseRequest warns of URLs in place of a path.
func (p *parser) adviseRequest(b *block) {
	v := b.v
	if isURL(strings.TrimPrefix(v.Request.Reveal(), "/")) {
		p.advise(b.lines["request"], CodeRequestURL, fmt.Sprintf("the request of an %s check is a path: what is asked is %q", v.Service, v.Request),
			`request = "/PATH", and virtualhost = NAME for the host`)
	}
	for _, r := range v.Reals {
		if url := r.RequestURL(); url != "" {
			p.advise(r.Line, CodeRequestURL, fmt.Sprintf("%s is fetched from where it points, whatever %s does", url, r), `a path is asked of the real server itself: "/PATH"`)
		}
	}
}

var urlScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func isURL(s string) bool { return urlScheme.MatchString(s) }

// ownRequests reports whether each real server has a request of its own.
func ownRequests(v *VirtualService) bool {
	for _, r := range v.Reals {
		if !r.OwnRequest {
			return false
		}
	}
	return len(v.Reals) > 0
}

// schedulerNames are the names of schedulers in other programs.
var schedulerNames = map[string]string{
	"roundrobin": "rr", "round": "rr", "robin": "rr", "weighted": "wrr", "leastconn": "lc", "least": "lc", "leastconnection": "lc", "leastconnections": "lc",
	"source": "sh", "sourcehash": "sh", "hash": "sh", "destination": "dh", "maglev": "mh", "failover": "fo", "random": "rr",
}

// hintScheduler suggests a scheduler for an unknown name, "" if none is similar.
func hintScheduler(name string) string {
	if known, ok := schedulerNames[name]; ok {
		return "perhaps " + known
	}
	for _, known := range []string{"wrr", "wlc", "lblcr", "lblc", "sed", "ovf", "mh"} {
		if similar.Distance(name, known, 2) < 2 {
			return "perhaps " + known
		}
	}
	return ""
}
