package importer

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A service is a virtual service as both sources describe it.
type service struct {
	address    string // "10.0.0.1:80", "[fd00::1]:80" or a firewall mark
	ipv6       bool
	protocol   string // tcp, udp, fwm
	scheduler  string
	flags      []string
	persistent int // seconds, 0 is none
	netmask    string
	ops        bool
	fallback   string
	reals      []*realServer
	policy     []string // directives
	check      []string // directives of its own check
	also       checkSet // further checks of all real servers
	others     []string // the addresses of virtual services with the same block
}

// A realServer is one of a service.
type realServer struct {
	line         position
	address      string
	forward      string // gate, masq, ipip
	weight       string
	request      string // its own "request", "receive"; "" is none
	check        *check // in place of the virtual service's, nil is none
	lower, upper string
	notes        []note
	left         bool // out, as a comment
}

func (s *service) key() string { return fmt.Sprint(s.protocol, " ", s.address, " ", s.ipv6) }

// dropDuplicates leaves out real servers that repeat an address.
func (s *service) dropDuplicates() {
	first := map[string]position{}
	for _, r := range s.reals {
		if line, ok := first[r.address]; ok && !r.left {
			r.left = true
			r.notes = append(r.notes, lost(r.line, "%v is the same real server", line))
		}
		if !r.left {
			first[r.address] = r.line
		}
	}
}

// write writes the service as a block, with notes as its comments, and before it the check blocks
// that no other service has before.
func (s *service) write(b *strings.Builder, notes []note, blocks *checkBlocks) {
	for _, c := range s.named() {
		blocks.write(b, c)
	}
	fmt.Fprintf(b, "virtual%s = %s\n", s.six(), s.address)
	s.writeOthers(b)
	s.writeBody(b, notes, blocks)
}

func (s *service) six() string {
	if s.ipv6 {
		return "6"
	}
	return ""
}

// named are the checks that need a check block.
func (s *service) named() []check {
	list := slices.Clone([]check(s.also))
	for _, r := range s.reals {
		if r.check != nil {
			list = append(list, *r.check)
		}
	}
	return list
}

// writeOthers writes a line for each other address, with all its ports.
func (s *service) writeOthers(b *strings.Builder) {
	var hosts []string
	ports := map[string][]string{}
	for _, other := range s.others {
		i := strings.LastIndexByte(other, ':')
		host := other[:i]
		if ports[host] == nil {
			hosts = append(hosts, host)
		}
		ports[host] = append(ports[host], other[i+1:])
	}
	for _, host := range hosts {
		fmt.Fprintf(b, "    also%s = %s:%s\n", s.six(), host, strings.Join(ports[host], ","))
	}
}

// writeBody writes what follows the addresses.
func (s *service) writeBody(b *strings.Builder, notes []note, blocks *checkBlocks) {
	six := s.six()
	comments(b, "    ", notes)
	for _, r := range s.reals {
		r.write(b, six, blocks)
	}
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "    %s = %s\n", name, value)
		}
	}
	line("fallback"+six, s.fallback)
	if s.protocol != "fwm" {
		line("protocol", s.protocol)
	}
	line("scheduler", cmp.Or(s.scheduler, "wlc"))
	line("schedflags", strings.Join(s.flags, ","))
	if s.persistent > 0 {
		line("persistent", strconv.Itoa(s.persistent))
		line("netmask", s.netmask)
	}
	if s.ops {
		line("ops", "yes")
	}
	for _, directive := range slices.Concat(s.policy, s.check) {
		fmt.Fprintf(b, "    %s\n", directive)
	}
	for _, c := range s.also {
		line("alsocheck", blocks.use(c))
	}
}

func (r *realServer) write(b *strings.Builder, six string, blocks *checkBlocks) {
	comments(b, "    ", r.notes)
	b.WriteString("    ")
	if r.left {
		b.WriteString("# ")
	}
	fmt.Fprintf(b, "real%s = %s %s %s", six, r.address, r.forward, r.weight)
	if r.request != "" {
		b.WriteString(" " + r.request)
	}
	if r.lower != "" {
		b.WriteString(" l:" + r.lower)
	}
	if r.upper != "" {
		b.WriteString(" u:" + r.upper)
	}
	if r.check != nil {
		use := blocks.use(*r.check)
		if strings.Contains(use, " ") {
			use = `"` + use + `"`
		}
		b.WriteString(" check=" + use)
	}
	b.WriteByte('\n')
}

// A checkBlocks has the names of check blocks.
type checkBlocks struct {
	names   map[string]string // of each block's lines
	taken   map[string]int    // names, and the numbers that were added to them
	written map[string]bool
}

func newCheckBlocks() *checkBlocks {
	return &checkBlocks{names: map[string]string{}, taken: map[string]int{}, written: map[string]bool{}}
}

// name is the name of the block of a check: of all that have the same lines.
func (l *checkBlocks) name(c check) string {
	lines := strings.Join(c.block(), "\n")
	if name, ok := l.names[lines]; ok {
		return name
	}
	name := c.name
	for n := l.taken[c.name] + 1; l.taken[name] > 0; n++ {
		name = c.name + "-" + strconv.Itoa(n)
		l.taken[c.name] = n
	}
	l.taken[name] = 1
	l.names[lines] = name
	return name
}

// use is the name of a check's block with the arguments of the check.
func (l *checkBlocks) use(c check) string {
	if c.arguments == "" {
		return l.name(c)
	}
	return l.name(c) + " " + c.arguments
}

// write writes the block of a check, unless it was written before.
func (l *checkBlocks) write(b *strings.Builder, c check) {
	name := l.name(c)
	if l.written[name] {
		return
	}
	l.written[name] = true
	fmt.Fprintf(b, "check = %s\n", name)
	for _, directive := range c.block() {
		fmt.Fprintf(b, "    %s\n", directive)
	}
	b.WriteByte('\n')
}

// schedulerFlags are what schedflags takes.
var schedulerFlags = []string{"flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback"}

// isWord reports whether s can be a scheduler's name.
func isWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// isNumber reports whether s is a number from low to what 32 bits hold.
func isNumber(s string, low uint64) bool {
	n, err := strconv.ParseUint(s, 10, 32)
	return err == nil && n >= low && n <= math.MaxInt32
}

// parseMark is a firewall mark in its shortest form.
func parseMark(s string) (string, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return strconv.FormatUint(n, 10), err == nil && n > 0
}

// parseAddr is an address that a virtual service or a real server can have.
func parseAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	return a, err == nil && a.Zone() == "" && !a.Is4In6() && !a.IsUnspecified()
}

// isNetmask reports whether s is a netmask of the family: 255.255.255.0, or the
// length of a prefix.
func isNetmask(s string, ipv6 bool) bool {
	if ipv6 {
		n, err := strconv.Atoi(s)
		return err == nil && n >= 1 && n <= 128
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4() && !a.IsUnspecified()
}

// expressible reports whether a value can be in a line of a block: everything
// from "#" on is a comment there.
func expressible(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r == '#' || r < ' ' || r == 0x7f })
}
