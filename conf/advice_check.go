package conf

import (
	"fmt"
	"regexp"
	"strings"
)

// note remembers the line of a directive, and advises about one that is given
// again.
func (at *place) note(d *directive) {
	if at.block == nil {
		return
	}
	if d.kernel {
		at.block.note(d.name, at.line)
	}
	if !at.all {
		return
	}
	if at.block.lines == nil {
		at.block.lines = make(map[string]int)
	}
	if _, given := at.block.lines[d.name]; given && !d.repeats {
		at.advise(at.line, d.name+" is given twice in this block; the last one counts", "")
	}
	at.block.lines[d.name] = at.line
}

// adviseCheck is about checks that do not do what the block looks like.
func (p *parser) adviseCheck(b *block) {
	v := b.v
	if !p.all || v.CheckType == CheckOn || v.CheckType == CheckOff { // where the rest waits to be used again
		return
	}
	negotiates := v.CheckType == CheckNegotiate || v.CheckType == CheckCombined
	if !negotiates {
		p.adviseUnused(b)
	}
	switch {
	case v.CheckType == CheckExternal && b.lines["checkcommand"] == 0:
		p.advise(v.Line, "checktype=external without checkcommand runs /bin/true: it is always up", `checkcommand = "/path/to/program"`)
	case v.CheckType == CheckConnect && v.Protocol != UDP && v.CheckPort == 0:
		p.adviseNoPort(v)
	case negotiates:
		p.adviseService(b)
	}
}

// adviseUnused is about what only negotiate sends and compares.
func (p *parser) adviseUnused(b *block) {
	line := 0
	var unused []string
	for _, name := range []string{"request", "receive", "receivenot", "httpmethod", "virtualhost", "database", "secret"} {
		if at := b.lines[name]; at != 0 {
			unused = append(unused, name)
			if line == 0 || at < line {
				line = at
			}
		}
	}
	if len(unused) > 0 {
		verb := " are"
		if len(unused) == 1 {
			verb = " is"
		}
		p.advise(line, strings.Join(unused, " and ")+verb+" not used by checktype="+b.v.CheckType.String(), "checktype = negotiate, which is the default, uses them")
	}
}

// adviseNoPort is about real servers that cannot be connected.
func (p *parser) adviseNoPort(v *VirtualService) {
	for _, r := range v.Reals {
		if v.PortToCheck(r) == 0 {
			p.advise(r.Line, "there is no port to connect to: "+r.String()+" is never up", "checkport = PORT")
			return
		}
	}
}

// A tlsPort is a port at which servers speak TLS from the first byte.
type tlsPort struct {
	port  uint16
	plain []string // services that do not
	cure  string
}

var tlsPorts = []tlsPort{
	{443, []string{"http"}, "service = https"},
	{465, []string{"smtp", "submission"}, "service = tls"},
	{563, []string{"nntp"}, "service = tls"},
	{636, []string{"ldap"}, "service = ldaps"},
	{990, []string{"ftp"}, "service = tls"},
	{993, []string{"imap"}, "service = imaps"},
	{995, []string{"pop"}, "service = pops"},
}

// adviseService is about what a service's check cannot do.
func (p *parser) adviseService(b *block) {
	v := b.v
	for _, t := range tlsPorts {
		for _, plain := range t.plain {
			if v.Service == plain && len(v.Reals) > 0 && v.PortToCheck(v.Reals[0]) == t.port {
				p.advise(v.Line, fmt.Sprintf("port %d speaks TLS from the first byte, %s does not: it is never up", t.port, plain), t.cure)
			}
		}
	}
	switch v.Service {
	case "mysql", "pgsql", "oracle":
		if v.Login == "" || b.lines["request"] == 0 && !ownRequests(v) {
			p.advise(v.Line, "a "+v.Service+" check without login and request never succeeds: "+v.ID(), `login = "USER" and request = "SELECT 1"`)
		}
	case "http", "https":
		p.adviseRequest(b)
	case "http_proxy":
		if !isURL(strings.TrimPrefix(v.Request.Reveal(), "/")) && !ownRequests(v) {
			p.advise(max(v.Line, b.lines["request"]), "the request of http_proxy is no URL: the proxy is asked for a page of its own", `request = "http://www.example.com/"`)
		}
	}
}

// adviseRequest is about URLs where a path belongs.
func (p *parser) adviseRequest(b *block) {
	v := b.v
	if isURL(strings.TrimPrefix(v.Request.Reveal(), "/")) {
		p.advise(b.lines["request"], fmt.Sprintf("the request of an %s check is a path: what is asked is %q", v.Service, v.Request),
			`request = "/PATH", and virtualhost = NAME for the host`)
	}
	for _, r := range v.Reals {
		if url := r.RequestURL(); url != "" {
			p.advise(r.Line, fmt.Sprintf("%s is fetched from where it points, whatever %s does", url, r), `a path is asked of the real server itself: "/PATH"`)
		}
	}
}

var urlScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func isURL(s string) bool { return urlScheme.MatchString(s) }

// ownRequests says whether all real servers have a request of their own.
func ownRequests(v *VirtualService) bool {
	for _, r := range v.Reals {
		if !r.OwnRequest {
			return false
		}
	}
	return len(v.Reals) > 0
}

// schedulerNames are what schedulers are called elsewhere.
var schedulerNames = map[string]string{
	"roundrobin": "rr", "round": "rr", "robin": "rr", "weighted": "wrr", "leastconn": "lc", "least": "lc", "leastconnection": "lc", "leastconnections": "lc",
	"source": "sh", "sourcehash": "sh", "hash": "sh", "destination": "dh", "maglev": "mh", "failover": "fo", "random": "rr",
}

// hintScheduler is what a name that no kernel knows may mean, "" if nothing is
// near.
func hintScheduler(name string) string {
	if known, ok := schedulerNames[name]; ok {
		return "perhaps " + known
	}
	for _, known := range []string{"wrr", "wlc", "lblcr", "lblc", "sed", "ovf", "mh"} {
		if editDistance(name, known, 2) < 2 {
			return "perhaps " + known
		}
	}
	return ""
}
