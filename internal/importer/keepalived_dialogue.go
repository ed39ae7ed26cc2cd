package importer

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// smtp makes one check of each host.
func (c check) smtp(options []*node, own netip.Addr, add func(note)) (list []check, rest []*node) {
	c.name, c.kind, c.rank = "smtp", []string{"service = smtp"}, speaks
	for _, o := range options {
		if o.Name() != "host" {
			rest = append(rest, o)
			continue
		}
		one := c
		one.line = o.Line
		for _, p := range o.Block {
			switch p.Name() {
			case "alpha", "warmup", "log_all_failures":
			default:
				if !one.target.take(p, own, add) {
					rest = append(rest, p)
				}
			}
		}
		if one.address != "" {
			one.origin += " of " + one.address
		}
		list = append(list, one)
	}
	switch len(list) {
	case 0:
		list = []check{c}
	case 1:
		list[0].line = c.line
	}
	return list, rest
}

// dns reads the query. Ours is for addresses, keepalived's for any type of record
// and by default for the root's SOA.
func (c *check) dns(n *node, options []*node, in checkerContext) (rest []*node) {
	kind, name := "SOA", "."
	for _, o := range options {
		switch o.Name() {
		case "type":
			kind = strings.ToUpper(o.Word(0))
		case "name":
			name = o.Word(0)
		default:
			rest = append(rest, o)
		}
	}
	c.origin += " " + kind + " " + name
	if kind != "A" && kind != "AAAA" || !isQueryName(name) {
		c.ping()
		in.add(lost(n.Line, "%s is not known, ping is taken: service = dns asks for addresses of a name in request", c.origin))
		return rest
	}
	if !strings.Contains(name, ".") {
		name += "." // there is no search list
	}
	c.name, c.kind, c.rank = "dns", []string{"service = dns", `request = "` + name + `"`, `receive = "."`}, speaks
	if kind == "AAAA" {
		in.add(lost(n.Line, "DNS_CHECK AAAA asks for A here"))
	}
	if in.protocol == "tcp" {
		in.add(chosen(n.Line, "DNS_CHECK asks over tcp here, as the virtual service is tcp"))
	}
	return rest
}

// isQueryName reports whether s is the name of a host, and not that of the root.
func isQueryName(s string) bool {
	_, isAddr := parseAddr(s)
	return !isAddr && queryName.MatchString(s)
}

var queryName = regexp.MustCompile(`^[0-9A-Za-z_-][0-9A-Za-z_.-]*$`)

// udp reads a datagram and its answer, and returns the directive of its timeout. Without
// require_reply keepalived takes silence for good.
func (c *check) udp(n *node, options []*node, add func(note)) (timeout string) {
	var request, reply *node
	shortest, longest := 0, 0
	for _, o := range options {
		number, err := strconv.ParseUint(o.Word(0), 10, 16)
		switch {
		case o.Name() == "payload":
			request = o
		case o.Name() == "require_reply":
			reply = o
		case o.Name() == "min_reply_length" && err == nil:
			shortest = int(number)
		case o.Name() == "max_reply_length" && err == nil && number > 0:
			longest = int(number)
		default:
			add(notCarried(o))
		}
	}
	c.ping()
	if reply == nil {
		add(lost(n.Line, "UDP_CHECK without require_reply is up when no answer comes; it is not known, ping is taken"))
		for _, o := range options {
			add(notCarried(o))
		}
		return "checktimeout"
	}
	text := ""
	if request != nil {
		bytes, ok := hexBytes(request.All())
		if text, ok = datagramText(bytes, ok); !ok {
			add(lost(request.Line, "%s is no text, and request has no other bytes: ping is taken", request))
			return "checktimeout"
		}
	} else {
		add(chosen(n.Line, "UDP_CHECK without payload sends random bytes there, and none here"))
	}
	c.name, c.kind, c.rank = "udp", []string{"service = simpleudp"}, speaks
	c.request = text
	c.receive = c.replyPattern(reply, shortest, longest, add)
	return "negotiatetimeout"
}

// replyPattern is the pattern of an answer of these bytes and lengths. longest is 0 if it is not
// given.
func (c *check) replyPattern(reply *node, shortest, longest int, add func(note)) string {
	var bytes strings.Builder
	if longest == 0 {
		longest = 255 // keepalived's default
	}
	if reply.Word(0) != "" {
		octets := hexOctets(reply.All())
		for _, o := range octets {
			pattern, ok := octetPattern(o)
			if !ok {
				add(notCarried(reply))
				return ""
			}
			bytes.WriteString(pattern)
		}
		if shortest < len(octets) {
			add(chosen(reply.Line, "an answer shorter than the %d bytes of require_reply is down here", len(octets)))
		}
	}
	length := ""
	switch {
	case longest > 0 && longest <= maxRepeat && shortest <= longest:
		length = fmt.Sprintf(`(?=.{%d,%d}\z)`, shortest, longest)
	case shortest > 0 && shortest <= maxRepeat:
		length = fmt.Sprintf(`(?=.{%d})`, shortest)
	case longest > 0 || shortest > 0:
		add(lost(reply.Line, "the length of the answer, %d to %d, is not carried over", shortest, longest))
	}
	if length == "" && bytes.Len() == 0 {
		return ""
	}
	return `(?s)\A` + length + bytes.String()
}

// maxRepeat is the largest number of repetitions in a pattern.
const maxRepeat = 1000

// hexOctets are the bytes of a text as keepalived reads them: pairs of digits, and single ones
// before a blank.
func hexOctets(text string) (octets []string) {
	for word := range strings.FieldsSeq(text) {
		for ; len(word) > 2; word = word[2:] {
			octets = append(octets, word[:2])
		}
		octets = append(octets, word)
	}
	return octets
}

func hexBytes(text string) (bytes []byte, ok bool) {
	for _, o := range hexOctets(text) {
		if len(o) == 1 {
			o = "0" + o
		}
		b, err := hex.DecodeString(o)
		if err != nil {
			return nil, false
		}
		bytes = append(bytes, b...)
	}
	return bytes, len(bytes) > 0
}

// datagramText is request for a datagram.
func datagramText(bytes []byte, ok bool) (string, bool) {
	text := string(bytes)
	if !ok || strings.Contains(text, `\n`) || !expressible(strings.ReplaceAll(text, "\n", " ")) || strings.IndexFunc(text, func(r rune) bool { return r > '~' }) >= 0 {
		return "", false
	}
	return "/" + strings.ReplaceAll(text, "\n", `\n`), true
}

// octetPattern is the pattern of one byte. A digit X stands for any.
func octetPattern(octet string) (string, bool) {
	if len(octet) == 1 {
		octet = "0" + octet
	}
	var values [2][]byte
	for i := range 2 {
		digit := octet[i : i+1]
		if strings.EqualFold(digit, "x") {
			digit = "0123456789ABCDEF"
		}
		for _, d := range []byte(digit) {
			v, err := strconv.ParseUint(string(d), 16, 8)
			if err != nil {
				return "", false
			}
			values[i] = append(values[i], byte(v))
		}
	}
	high, low := values[0], values[1]
	switch {
	case len(high) > 1 && len(low) > 1:
		return ".", true
	case len(low) > 1:
		return fmt.Sprintf(`[\x%X0-\x%XF]`, high[0], high[0]), true
	case len(high) > 1:
		var class strings.Builder
		for _, h := range high {
			fmt.Fprintf(&class, `\x%X%X`, h, low[0])
		}
		return "[" + class.String() + "]", true
	}
	return fmt.Sprintf(`\x%X%X`, high[0], low[0]), true
}
