package conf

import (
	"fmt"
	"maps"
	"slices"
)

// adviseChecks warns of the checks of a block that differ from its look.
func adviseChecks(p *parser, b *block) {
	v := b.v
	if !p.all {
		return
	}
	for _, n := range slices.Concat(v.AlsoCheck, v.InPlace) {
		adviseNamed(p, b, n)
	}
	if b.mistaken {
		return
	}
	adviseArguments(p, v, "the check of "+v.ID())
	adviseExternalWeight(p, b, "the check of "+v.ID())
	adviseSlowLimit(p, b, "the check of "+v.ID())
	adviseAgent(p, b)
	needed := b.lines["checksneeded"]
	switch n := 1 + len(v.AlsoCheck); {
	case needed == 0:
	case n == 1:
		p.advise(needed, CodeUnusedDirective, "checksneeded counts only with alsocheck: "+v.ID(), "alsocheck = NAME")
	case v.ChecksNeeded > n:
		p.advise(needed, CodeReadAs, fmt.Sprintf("checksneeded = %s, and each real server has %d checks, with the one of the virtual service: all of them are needed", asWritten(p, b, "checksneeded", v.ChecksNeeded), n),
			"checksneeded = all")
	}
	if len(v.AlsoCheck) > 0 && v.CheckType == CheckOn && v.ChecksNeeded == 1 {
		p.advise(max(needed, v.Line), CodeAlwaysUp, "checksneeded = 1 with checktype = on: its own check is always up, and so are the real servers of "+v.ID(), "checksneeded = 2, or all")
	}
	if len(v.AlsoCheck) > 0 && v.CheckType == CheckOff {
		p.advise(b.alsoCheck[0].line, CodeUnusedDirective, "alsocheck has no effect with checktype = off: "+v.ID(), "checktype = on takes the virtual service's own check for good")
	}
	for i, l := range b.alsoCheck {
		if slices.ContainsFunc(b.alsoCheck[:i], func(o checkLine) bool { return o.use == l.use }) {
			p.advise(l.line, CodeRepeatedDirective, "alsocheck = "+l.use.Name+" is given twice in this block, with the same arguments: it is asked twice", "")
		}
	}
}

// adviseNamed warns of a check block by one use of it.
func adviseNamed(p *parser, b *block, n NamedCheck) {
	c := p.checks[n.Name]
	if c.mistaken {
		return
	}
	at := *c
	as := *n.As
	as.Reals = b.v.Reals
	at.v = &as
	path := p.path
	p.path = c.v.File
	if as.CheckType == CheckConnect && as.Protocol != UDP && as.CheckPort == 0 {
		as.Reals = nil // which is advised at the real servers
	}
	p.adviseCheck(&at)
	adviseUsualPort(p, &at)
	adviseArguments(p, &as, "check "+n.Name)
	adviseExternalWeight(p, &at, "check "+n.Name)
	adviseSlowLimit(p, &at, "check "+n.Name)
	p.path = path
}

// adviseUsualPort warns of a check block that asks for a service at the usual port of another
// one, for want of a checkport.
func adviseUsualPort(p *parser, b *block) {
	v := b.v
	s, _ := LookupService(v.Service)
	if b.lines["service"] == 0 || s.Port == 0 || v.CheckPort != 0 || v.CheckType != CheckNegotiate && v.CheckType != CheckCombined {
		return
	}
	for _, r := range v.Reals {
		port := v.PortToCheck(r)
		switch other := serviceOfPort(port); {
		case port == s.Port, port == s.tlsTo, other == "none", v.Service == "smtp" && other == "submission":
		default:
			p.advise(b.lines["service"], CodeReadAs, fmt.Sprintf("check %s asks for %s at port %d, that of the real servers and usually of %s", b.check, s.Name, port, other),
				fmt.Sprintf("checkport = %d", s.Port))
			return
		}
	}
}

// adviseArguments warns of arguments for no command.
func adviseArguments(p *parser, v *VirtualService, name string) {
	if (v.CheckArgs != "" || v.CheckArgsOnly) && v.CheckType != CheckExternal && v.CheckType != CheckExternalPerl {
		p.advise(v.Line, CodeUnusedDirective, name+" has no command that takes arguments", "checktype = external and checkcommand = /PATH")
	}
}

// Weighs reports whether v's own check asks for weights.
func (v *VirtualService) Weighs() bool {
	return v.ExternalWeight && (v.CheckType == CheckExternal || v.CheckType == CheckExternalPerl)
}

const (
	noExternalWeight   = " is not external, and its exit status sets no weight: externalweight has no effect"
	hintExternalWeight = "checktype = external and checkcommand = /PATH"
)

// adviseExternalWeight warns of externalweight in a block whose check is not external.
func adviseExternalWeight(p *parser, b *block, name string) {
	if line := b.lines["externalweight"]; line != 0 && b.v.ExternalWeight && !b.v.Weighs() {
		p.advise(line, CodeUnusedDirective, name+noExternalWeight, hintExternalWeight)
	}
}

// adviseNoExternal warns of externalweight outside of blocks where no check is external.
func adviseNoExternal(p *parser) {
	if p.outside.ExternalWeight && !p.failed && len(p.config.Virtuals) > 0 && !slices.ContainsFunc(p.config.EachCheck(), (*VirtualService).Weighs) {
		p.adviseAt("externalweight", CodeUnusedDirective, "no check is external, whose exit status could set a weight: externalweight has no effect", hintExternalWeight)
	}
}

// adviseUnusedChecks warns of check blocks that no virtual service uses.
func adviseUnusedChecks(p *parser) {
	for _, name := range slices.Sorted(maps.Keys(p.checks)) {
		if b := p.checks[name]; !b.used && !p.failed {
			p.path = b.v.File
			p.advise(b.v.Line, CodeUnusedDirective, "check "+name+" is not used", "alsocheck = "+name+" in a virtual block, or check="+name+" in a real line")
		}
	}
}
