package conf

// A dependent is a directive that has no effect without another one.
type dependent struct {
	name   string
	set    func(*VirtualService) bool // the value is another one than the default
	counts func(*VirtualService) bool
	needed string // what is missing
	cure   string
}

func hasQuorum(v *VirtualService) bool { return v.Quorum != Portion{} }
func hasStopCommand(v *VirtualService) bool {
	return v.CleanStop && (v.FallbackCommand != "" || v.QuorumCommand != "" && hasQuorum(v))
}
func hasBackups(v *VirtualService) bool { return v.RealCount() < len(v.Reals) }

var dependents = []dependent{
	{"backupbelow", func(v *VirtualService) bool { return v.BackupBelow > 1 }, hasBackups, "a backup server", "backup = ADDRESS:PORT gate, in the block"},
	{"hysteresis", func(v *VirtualService) bool { return v.Hysteresis > 0 }, hasQuorum, "quorum", "quorum = N"},
	{"quorumcommand", func(v *VirtualService) bool { return v.QuorumCommand != "" }, hasQuorum, "quorum", "quorum = N"},
	{"quorumrest", func(v *VirtualService) bool { return v.KeepRest }, hasQuorum, "quorum", "quorum = N"},
	{"stopcommands", func(v *VirtualService) bool { return v.StopCommands }, hasStopCommand, "fallbackcommand or quorumcommand, and cleanstop = yes", "fallbackcommand = COMMAND or quorumcommand = COMMAND, and no cleanstop = no"},
}

// adviseAlone warns of directives that lack another one: in a block, and outside of blocks if no
// virtual service has it.
func adviseAlone(p *parser) {
	if !p.all || p.failed || len(p.config.Virtuals) == 0 {
		return
	}
	p.copying = true // also has the same line for several virtual services
	main := p.path
	for _, d := range dependents {
		counts, text := false, d.name+" has no effect without "+d.needed
		for _, b := range p.blocks {
			v := b.v
			counts = counts || d.counts(v)
			if line := b.lines[d.name]; line != 0 && d.set(v) && !d.counts(v) {
				p.path = v.File
				p.advise(line, CodeUnusedDirective, text, d.cure)
			}
		}
		p.path = main
		if d.set(&p.outside) && !counts {
			p.adviseAt(d.name, CodeUnusedDirective, text, d.cure)
		}
	}
	p.copying = false
	if p.config.MaintenanceOrders && p.config.MaintenanceDir == "" {
		p.adviseAt("maintenanceorders", CodeUnusedDirective, "maintenanceorders has no effect without maintenancedir", "maintenancedir = /PATH")
	}
}
