package conf

import (
	"crypto/sha256"
	"net/netip"
	"path/filepath"
	"slices"
)

// A parser turns one file, with the files that it includes, into one Config. It reads
// the sections in the order of the file; the last of repeated directives counts.
// Blocks inherit global values only at the end, so those may be anywhere in the file.
type parser struct {
	reporter

	opts   Options
	files  files // the files that can be included
	config *Config

	unset     VirtualService  // a virtual service with all defaults
	outside   VirtualService  // the directives outside blocks that blocks inherit
	given     given           // all directives outside blocks
	fallback  *globalFallback // nil without a global fallback
	fallback6 *globalFallback
	lines     map[string]position // the last line of each directive outside blocks
	blocks    []*block
	checks    map[string]*block // the check blocks by name, nil is none
	services  map[serviceKey]*VirtualService
	hosts     map[hostKey]hostResult
	found     map[realKey]realResult
	expanding bool // real lines are read again, see expandReals

	including []string // the files that are being read, the first includes the second
	next      []string // those of the include line that was read last
	included  int      // how many have been

	print fingerprint // of Config.Fingerprint
}

// A serviceKey identifies a virtual service as the kernel does.
type serviceKey struct {
	protocol Protocol
	addr     netip.AddrPort
	mark     uint32
	ipv6     bool
}

// A location is where a directive is: a line, outside or inside a block.
type location struct {
	*parser
	line   int
	block  *block          // nil outside blocks
	v      *VirtualService // the block's, or the one outside blocks, from which all inherit
	given  *given
	name   string // of the directive
	equals bool   // the directive has a "="
}

func newParser(path string, o Options) *parser {
	c, v := defaults()
	c.Path = path
	if dir := o.LogDir; dir != "" {
		c.LogFile, c.MonitorLog = filepath.Join(dir, filepath.Base(c.LogFile)), filepath.Join(dir, filepath.Base(c.MonitorLog))
	}
	return &parser{
		reporter: reporter{path: path},
		opts:     o.filled(),
		files:    disk{},
		config:   &c,
		unset:    v,
		outside:  v,
		lines:    make(map[string]position),
		services: make(map[serviceKey]*VirtualService),
		hosts:    make(map[hostKey]hostResult),
		found:    make(map[realKey]realResult),
		print:    fingerprint{sum: sha256.New()},
	}
}

// from has p include files of f.
func (p *parser) from(f files) *parser {
	p.files = f
	return p
}

func (p *parser) parse(text []byte) {
	main := p.path
	p.file(main, text)
	if p.stopped() {
		return
	}
	p.config.CheckInterval, p.config.CheckUser = p.outside.CheckInterval, p.outside.CheckUser
	inheritChecks(p)
	for _, b := range p.blocks {
		p.path = b.v.File
		p.inherit(b.v, b.given)
		expandReals(p, b)
		useChecks(p, b)
		adviseBlock(p, b)
		adviseQuorum(p, b)
		adviseLeaving(p, b)
		p.warnRefusals(b)
		p.config.Virtuals = append(p.config.Virtuals, b.v)
	}
	adviseUnusedChecks(p)
	p.path = main
	p.delayWithdrawal()
	adviseOutside(p)
	p.checkStatus()
	checkHostSetup(p)
	p.config.fingerprint = p.print.String()
	p.config.Warnings = slices.DeleteFunc(slices.Clone(p.problems), func(pr *Problem) bool { return !pr.Warning })
}

func (p *parser) globalLine(l line) {
	before := p.mistakes
	defer func() { p.mistaken = p.mistaken || p.mistakes > before }()
	text := l.text()
	if p.all && trimLeft(text) != text && known(trimLeft(text), false) {
		p.report(p.unknown(l, nil, "a global directive begins in the first column"))
		text = trimLeft(text)
	}
	p.apply(&location{parser: p, line: l.number, v: &p.outside, given: &p.given}, l, text)
	p.includeNext(l.number)
}

// virtual reads a block, and then resolves its names: the protocol, on which names
// of ports depend, may be anywhere in it.
func (p *parser) virtual(s section) {
	b := p.oneVirtual(s)
	for _, also := range b.also {
		if p.stopped() {
			return
		}
		p.copyBlock(s, b.v.IPv6, also)
	}
}

func (p *parser) oneVirtual(s section) *block {
	before := p.mistakes
	b, ok := p.openBlock(s)
	p.print.line(false, s.head.text(), "")
	at := &location{parser: p, block: b, v: b.v, given: &b.given}
	for _, l := range s.body {
		if p.stopped() {
			return b
		}
		p.blockLine(at, l)
	}
	b.mistaken = p.mistakes > before
	if ok && !p.stopped() {
		p.closeBlock(b)
	}
	return b
}

func (p *parser) blockLine(at *location, l bodyLine) {
	if l.mistake != "" {
		p.report(p.unknown(l.line, at.block, l.mistake))
		if !known(l.command, true) {
			return
		}
	}
	at.line = l.number
	p.apply(at, l.line, l.command)
}

// apply executes one directive.
func (p *parser) apply(at *location, l line, text string) {
	name, value, equals := splitDirective(text)
	row := lookup(name)
	if row < 0 || !directives[row].allowed(at.block != nil) {
		p.report(p.unknown(l, at.block, ""))
		return
	}
	d := &directives[row]
	if !at.block.takes(name) {
		pr := p.unknown(l, at.block, name+" belongs to a virtual block: a check block has what a check needs")
		pr.Code = CodeMisplacedDirective
		p.report(pr)
		return
	}
	argument, fits := d.argument(value, equals)
	if !fits {
		p.report(p.unknown(l, at.block, ""))
		return
	}
	at.name, at.equals = name, equals
	at.note(d)
	err := d.set(at, argument)
	if err == nil {
		at.given.add(row)
		p.impress(d, value, at.block)
	}
	p.fail(l.number, err, name, value)
}
