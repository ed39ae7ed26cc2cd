package importer

import (
	"slices"
	"strings"
)

// A check is how a real server is checked.
type check struct {
	line   int
	origin string // the checker's name and arguments, for notes
	port   string // connect_port, "" is the real server's
	kind   []string
	timing []string

	request, receive string // of http, "" is none
	byReal           bool   // request and receive can be in the line of a real server
	rank             int    // of several, the most thorough counts; 0 is none
}

// The ranks of checkers.
const (
	unchecked = iota
	pings
	connects
	runs
	speaks
)

// newCheck reads a checker. ok is false if n is none. add gets the losses.
func newCheck(n *node, inherited settings, add func(note)) (c check, ok bool) {
	c = check{line: n.line, origin: n.name()}
	s := inherited
	timeout, retries, before := "checktimeout", "1", "1"
	var rest []*node
	for _, o := range n.block {
		switch {
		case s.take(o, add):
		case o.name() == "connect_port" && isNumber(o.word(0), 1) && len(o.word(0)) < 6:
			c.port = o.word(0)
		case o.name() == "alpha":
		default:
			rest = append(rest, o)
		}
	}
	switch n.name() {
	case "TCP_CHECK":
		c.kind, c.rank = []string{"checktype = connect"}, connects
	case "PING_CHECK":
		c.kind, c.rank = []string{"checktype = ping"}, pings
	case "UDP_CHECK":
		c.kind, c.rank = []string{"checktype = ping"}, pings
		add(lost(n.line, "UDP_CHECK is not known, ping is taken: service = simpleudp asks and needs an answer"))
	case "FILE_CHECK", "BFD_CHECK":
		c.kind = []string{"checktype = on"}
		add(lost(n.line, "%s is not known: the real server is not checked", n.name()))
	case "HTTP_GET", "SSL_GET":
		timeout, before, c.rank = "negotiatetimeout", "3", speaks
		rest = c.http(n, rest, s, add)
	case "SMTP_CHECK":
		timeout, c.kind, c.rank = "negotiatetimeout", []string{"service = smtp"}, speaks
		rest = c.smtp(rest)
	case "DNS_CHECK":
		timeout, retries, before = "negotiatetimeout", "3", ""
		rest = c.dns(n, rest, add)
	case "MISC_CHECK":
		retries, c.rank = "0", runs
		rest = c.misc(n, rest, &s, add)
	default:
		return c, false
	}
	for _, o := range rest {
		add(notCarried(o))
	}
	c.timing = s.timing(timeout, retries, before)
	return c, true
}

// notChecked is the check of a real server without a checker.
func notChecked(n *node, s settings) check {
	c := check{line: n.line, origin: "no checker", kind: []string{"checktype = on"}}
	if s.quiescent {
		c.timing = []string{"quiescent = yes"}
	}
	return c
}

// oneOf is the check to take of a real server's: all must succeed there.
func oneOf(checks []check, s settings, n *node, add func(note)) check {
	if len(checks) == 0 {
		add(chosen(n.line, "%s has no checker: it is not checked", n))
		return notChecked(n, s)
	}
	best := checks[0]
	for _, c := range checks[1:] {
		if c.rank > best.rank {
			best = c
		}
	}
	for _, c := range checks {
		implied := c.rank == connects && best.rank == speaks && c.port == best.port
		if c.line != best.line && !implied {
			add(lost(c.line, "%s is not carried over: there is one check, %s", c.origin, best.origin))
		}
	}
	return best
}

// http reads what HTTP_GET and SSL_GET have of their own. Redirects are not
// followed there, and certificates not verified.
func (c *check) http(n *node, options []*node, s settings, add func(note)) (rest []*node) {
	c.kind = []string{"service = http"}
	if n.name() == "SSL_GET" {
		c.kind = []string{"service = https", "sslverify = no"}
	}
	c.kind = append(c.kind, "httpfollow = no")
	c.request, c.byReal = "/", true
	host, urls := s.virtualHost, 0
	for _, o := range options {
		switch o.name() {
		case "url":
			urls++
			if urls == 1 {
				host = c.url(o, host, add)
				continue
			}
			path := o.child("path")
			if path == nil {
				path = o
			}
			add(lost(o.line, "%s is not carried over: there is one request", path))
		case "http_protocol":
			c.kind = append(c.kind, "httpversion = "+map[bool]string{true: "1.1", false: "1.0"}[o.word(0) == "1.1"])
		case "sni_name":
			if !expressible(o.word(0)) || strings.ContainsAny(o.word(0), ` "`) {
				add(notCarried(o))
				continue
			}
			c.kind = append(c.kind, "sslname = "+o.word(0))
		case "enable_sni", "tls_compliant", "fast_recovery":
		default:
			rest = append(rest, o)
		}
	}
	if host != "" {
		c.kind = append(c.kind, "virtualhost = "+host)
	}
	c.origin += " " + c.request
	return rest
}

// url reads the one URL of a check, and returns its virtual host.
func (c *check) url(n *node, host string, add func(note)) string {
	pattern, flags, not := "", "", false
	for _, o := range n.block {
		switch o.name() {
		case "path":
			if path := o.word(0); expressible(path) && strings.HasPrefix(path, "/") && !strings.Contains(path, " ") {
				c.request = path
			} else {
				add(lost(o.line, "%s: that is no path", o))
			}
		case "virtualhost":
			own := settings{virtualHost: host}
			own.take(o, add)
			host = own.virtualHost
		case "status_code":
			codes, ok := statusCodes(o.words[1:])
			if !ok {
				add(lost(o.line, "%s: that is no status code", o))
				continue
			}
			c.kind = append(c.kind, "httpstatus = "+codes)
		case "regex":
			pattern = strings.ReplaceAll(o.all(), "#", `\x23`)
		case "regex_no_match":
			not = true
		case "regex_options":
			flags = regexOptions(o, add)
		case "tls_compliant":
		default:
			add(notCarried(o))
		}
	}
	if pattern == "" {
		return host
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	switch {
	case !expressible(pattern):
		add(lost(n.line, "the regex is not carried over: it is not one line of text"))
	case not:
		c.kind = append(c.kind, `receivenot = "`+pattern+`"`)
	default:
		c.receive = pattern
	}
	return host
}

// statusCodes are codes and ranges of them as httpstatus has them.
func statusCodes(words []string) (string, bool) {
	for _, word := range words {
		from, to, isRange := strings.Cut(word, "-")
		if !isRange {
			to = from
		}
		if len(from) != 3 || len(to) != 3 || !isNumber(from, 100) || !isNumber(to, 100) || from > to || to > "599" {
			return "", false
		}
	}
	return strings.Join(words, ","), len(words) > 0
}

// regexOptions are the options of a pattern that can be in the pattern itself.
func regexOptions(n *node, add func(note)) (flags string) {
	known := map[string]string{"caseless": "i", "dotall": "s", "multiline": "m", "extended": "x"}
	for _, option := range n.words[1:] {
		if flag, ok := known[option]; ok && !strings.Contains(flags, flag) {
			flags += flag
		} else if !ok {
			add(lost(n.line, "regex_options %s is not carried over", option))
		}
	}
	return flags
}

// smtp reads the port of the first host; the rest is left.
func (c *check) smtp(options []*node) (rest []*node) {
	hosts := 0
	for _, o := range options {
		if o.name() != "host" {
			rest = append(rest, o)
			continue
		}
		if hosts++; hosts > 1 {
			rest = append(rest, o.block...)
			continue
		}
		for _, p := range o.block {
			if p.name() == "connect_port" && isNumber(p.word(0), 1) && len(p.word(0)) < 6 {
				c.port = p.word(0)
			} else {
				rest = append(rest, p)
			}
		}
	}
	return rest
}

// dns reads the query. Ours is for addresses, keepalived's for any type of record
// and by default for the root's SOA.
func (c *check) dns(n *node, options []*node, add func(note)) (rest []*node) {
	kind, name := "SOA", "."
	for _, o := range options {
		switch o.name() {
		case "type":
			kind = strings.ToUpper(o.word(0))
		case "name":
			name = o.word(0)
		default:
			rest = append(rest, o)
		}
	}
	c.origin += " " + kind + " " + name
	if kind != "A" && kind != "AAAA" || !expressible(name) || strings.ContainsAny(name, ` "`) {
		c.kind, c.rank = []string{"checktype = ping"}, pings
		add(lost(n.line, "DNS_CHECK %s %s is not known, ping is taken: service = dns asks for addresses of a name in request", kind, name))
		return rest
	}
	c.kind, c.rank = []string{"service = dns", `request = "` + name + `"`, `receive = "."`}, speaks
	if kind == "AAAA" {
		add(lost(n.line, "DNS_CHECK AAAA asks for A here"))
	}
	return rest
}

// misc reads a command. Ours gets four arguments of its own.
func (c *check) misc(n *node, options []*node, s *settings, add func(note)) (rest []*node) {
	words := []string{}
	s.timeout = s.interval
	for _, o := range options {
		switch o.name() {
		case "misc_path":
			words = strings.Fields(o.all())
		case "misc_timeout":
			if isSeconds(o.word(0)) {
				s.timeout = o.word(0)
				continue
			}
			rest = append(rest, o)
		default:
			rest = append(rest, o)
		}
	}
	c.origin += " " + strings.Join(words, " ")
	if len(words) == 0 || !expressible(words[0]) || strings.Contains(words[0], `"`) {
		c.kind, c.rank = []string{"checktype = on"}, unchecked
		add(lost(n.line, "MISC_CHECK names no program: the real server is not checked"))
		return rest
	}
	c.kind = []string{"checktype = external", "checkcommand = " + words[0]}
	const gets = "the addresses and ports of virtual service and real server as its arguments here"
	if len(words) > 1 {
		add(lost(n.line, "MISC_CHECK %s: the program gets %s, so that a script must call it as it was", strings.Join(words, " "), gets))
	} else {
		add(chosen(n.line, "MISC_CHECK %s: the program gets %s", words[0], gets))
	}
	return rest
}

// shared are the directives but request and receive.
func (c check) shared() []string {
	d := slices.Clone(c.kind)
	if c.port != "" {
		d = append(d, "checkport = "+c.port)
	}
	return append(d, c.timing...)
}

func (c check) directives() []string {
	d := c.shared()
	if c.request != "" {
		d = append(d, `request = "`+c.request+`"`)
	}
	if c.receive != "" {
		d = append(d, `receive = "`+c.receive+`"`)
	}
	return d
}

// String is the whole check; equal ones are the same check.
func (c check) String() string { return strings.Join(c.directives(), "\n") }

// pair is request and receive as the line of a real server has them.
func (c check) pair() string { return `"` + c.request + `", "` + c.receive + `"` }

// ownRequests reports whether checks differ only in their requests, which the lines
// of real servers can express.
func ownRequests(checks []check) bool {
	differ := false
	for _, c := range checks {
		if !c.byReal || strings.Contains(c.request+c.receive, `"`) || !slices.Equal(c.shared(), checks[0].shared()) {
			return false
		}
		differ = differ || c.String() != checks[0].String()
	}
	return differ
}

// mostCommon is the check that most real servers have, the first of several.
func mostCommon(checks []check) check {
	count := map[string]int{}
	best := checks[0]
	for _, c := range checks {
		count[c.String()]++
	}
	for _, c := range checks {
		if count[c.String()] > count[best.String()] {
			best = c
		}
	}
	return best
}
