package importer

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A check is one check of a real server.
type check struct {
	target
	line   position
	origin string // the checker's name and arguments, for notes
	name   string // of a check block, without a number
	kind   []string
	timing []string

	arguments        string // of the command, as a shell takes them
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

// A checkerContext is what a checker reads of its real server and virtual server.
type checkerContext struct {
	settings
	address  netip.Addr // of the real server
	protocol string
	add      func(note)
}

// newChecks reads a checker, which may be several checks here. ok is false if n is none.
func newChecks(n *node, in checkerContext) (list []check, ok bool) {
	c := check{line: n.Line, origin: n.Name()}
	s, add := in.settings, in.add
	s.leastRetries = 0
	timeout, retries, before := "checktimeout", "1", "1"
	var rest []*node
	for _, o := range n.Block {
		if !s.take(o, add) && !c.target.take(o, in.address, add) && o.Name() != "alpha" {
			rest = append(rest, o)
		}
	}
	switch n.Name() {
	case "TCP_CHECK":
		c.connect(in)
	case "PING_CHECK":
		c.ping()
	case "UDP_CHECK":
		timeout = c.udp(n, rest, add)
		rest = nil
	case "FILE_CHECK", "BFD_CHECK":
		c.kind = []string{"checktype = on"}
		add(lost(n.Line, "%s is not carried over: %s", n.Whole(), instead[n.Name()]))
		rest = nil
	case "HTTP_GET", "SSL_GET":
		timeout, before, c.rank = "negotiatetimeout", "3", speaks
		list, rest = c.http(n, rest, s, add)
	case "SMTP_CHECK":
		timeout = "negotiatetimeout"
		list, rest = c.smtp(rest, in.address, add)
	case "DNS_CHECK":
		timeout, retries, before = "negotiatetimeout", "3", ""
		if rest = c.dns(n, rest, in); c.rank == pings {
			timeout = "checktimeout"
		}
	case "MISC_CHECK":
		retries, c.rank = "0", runs
		rest = c.misc(n, rest, &s, add)
	default:
		return nil, false
	}
	for _, o := range rest {
		add(notCarried(o))
	}
	if list == nil {
		list = []check{c}
	}
	for i := range list {
		list[i].timing = s.timing(timeout, retries, before)
	}
	return list, true
}

func (c *check) ping() { c.name, c.kind, c.rank = "ping", []string{"checktype = ping"}, pings }

// connect is TCP_CHECK. For a virtual service of udp a connect is a ping here.
func (c *check) connect(in checkerContext) {
	c.name, c.kind, c.rank = "connect", []string{"checktype = connect"}, connects
	if in.protocol == "udp" {
		c.ping()
		in.add(lost(c.line, "TCP_CHECK is not known for udp, ping is taken"))
	}
}

// notChecked is the check of a real server without a checker.
func notChecked(n *node) check {
	return check{line: n.Line, origin: "no checker", kind: []string{"checktype = on"}}
}

// misc reads a command, which gets no arguments but its own.
func (c *check) misc(n *node, options []*node, s *settings, add func(note)) (rest []*node) {
	words, dynamic := []string{}, false
	s.timeout = s.interval
	for _, o := range options {
		switch o.Name() {
		case "misc_dynamic":
			dynamic = true
		case "misc_path":
			words = commandWords(o)
			if len(o.Words) > 2 {
				add(lost(o.Line, "%s: keepalived takes %s alone: arguments need quotes around all of it", o, o.Word(0)))
			}
		case "misc_timeout":
			switch number, err := strconv.Atoi(o.Word(0)); {
			case err != nil || number < 0 || number > longestConnect:
				rest = append(rest, o)
			case number > 0: // 0 is the default
				s.timeout = strconv.Itoa(number)
			}
		default:
			rest = append(rest, o)
		}
	}
	c.origin += " " + strings.Join(words, " ")
	if len(words) == 0 || !expressible(words[0]) || strings.Contains(words[0], `"`) || strings.TrimSpace(words[0]) != words[0] {
		c.kind, c.rank = []string{"checktype = on"}, unchecked
		add(lost(n.Line, "MISC_CHECK names no program: the real server is not checked"))
		return rest
	}
	c.name = blockName(path.Base(words[0]))
	arguments, ok := shellLine(words[1:])
	if !ok || strings.Contains(arguments, `"`) {
		add(lost(n.Line, "%s: no line here can have these arguments, and the program gets none: write a script with them", c.origin))
		arguments = ""
	}
	c.arguments = arguments
	c.kind = []string{"checktype = external", "checkcommand = " + words[0], "checkargumentsonly = yes"}
	if dynamic {
		c.kind = append(c.kind, "externalweight = yes")
	}
	return rest
}

// blockName is text as the name of a check block.
func blockName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, text)
	return cmp.Or(strings.Trim(name, "-._"), "check")
}

// shared are the directives but request, receive and arguments.
func (c check) shared() []string {
	return slices.Concat(c.kind, c.target.directives(), c.timing)
}

// block are the directives of a check block, which does not have the arguments of its uses.
func (c check) block() []string {
	d := c.shared()
	if c.request != "" {
		d = append(d, `request = "`+c.request+`"`)
	}
	if c.receive != "" {
		d = append(d, `receive = "`+c.receive+`"`)
	}
	return d
}

func (c check) directives() []string {
	d := c.block()
	if c.arguments != "" {
		d = append(d, "checkarguments = "+c.arguments)
	}
	return d
}

// String is the whole check; equal ones are the same check.
func (c check) String() string { return strings.Join(c.directives(), "\n") }

// is reports whether c and other are the same check.
func (c check) is(other check) bool { return c.String() == other.String() }

// pair is request and receive as the line of a real server has them.
func (c check) pair() string { return `"` + c.request + `", "` + c.receive + `"` }
