package conf

// adviseNames warns of settings of names that have no effect, or less than they seem to have.
func adviseNames(p *parser) {
	if p.failed {
		return
	}
	named, all, still := false, false, ""
	for _, b := range p.blocks {
		for _, r := range b.v.Reals {
			if !IsName(r.Host) {
				continue
			}
			named, all = true, all || b.v.ResolveAll
			if b.v.ResolveAll && still == "" {
				still = r.Host
			}
		}
	}
	outside := func(name, text, hint string) { p.adviseAt(name, CodeUnusedDirective, text, hint) }
	if p.config.Resolve > 0 && !named {
		outside("resolve", "resolve is not used: no real server is given by its name", "")
	}
	if p.config.Resolve == 0 && still != "" {
		adviseDirective(p, "resolveall", "without resolve the addresses of "+still+" are those of the start, until a reload", "resolve = 60 looks them up again each minute")
	}
	if !all {
		adviseDirective(p, "resolvemax", "resolvemax is not used: no real server has resolveall and a name", "")
	}
	if !named {
		adviseDirective(p, "resolveall", "resolveall is not used: no real server is given by its name", "")
	}
}

// adviseDirective warns once of an unused directive, in the first block that has it, else
// outside of blocks. One that is no is no slip.
func adviseDirective(p *parser, name, text, hint string) {
	main := p.path
	defer func() { p.path = main }()
	for _, b := range p.blocks {
		if line := b.lines[name]; line != 0 && (name != "resolveall" || b.v.ResolveAll) {
			p.path = b.v.File
			p.advise(line, CodeUnusedDirective, text, hint)
			return
		}
	}
	if name != "resolveall" || p.outside.ResolveAll {
		p.adviseAt(name, CodeUnusedDirective, text, hint)
	}
}
