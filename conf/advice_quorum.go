package conf

import (
	"cmp"
	"fmt"
)

// adviseQuorum warns of a quorum that means something else than its number, and of backup servers
// that wait while the fallback takes over for want of a quorum.
func adviseQuorum(p *parser, b *block) {
	v := b.v
	n := v.RealCount()
	if !p.all || p.failed || n == 0 {
		return
	}
	p.copying = true // also has the same line for several virtual services
	defer func() { p.copying = false }()
	if v.Quorum.Count > n && !v.ResolveAll {
		p.advise(cmp.Or(b.lines["quorum"], v.Line), CodeReadAs,
			fmt.Sprintf("quorum = %s of %s: all of them are needed", asWritten(p, b, "quorum", v.Quorum.Count), realServers(n)), "quorum = 100%")
	}
	quorum, backups := v.Quorum.Of(n), len(v.Reals)-n
	if at := b.lines["hysteresis"]; at != 0 && quorum > 0 && quorum+v.Hysteresis > n && !v.ResolveAll {
		p.advise(at, CodeReadAs, fmt.Sprintf("hysteresis = %s beside a quorum of %d of %s: after a loss all of them are needed", asWritten(p, b, "hysteresis", v.Hysteresis), quorum, realServers(n)),
			fmt.Sprintf("hysteresis = %d, or a lower quorum", n-quorum))
	}
	if backups > 0 && v.BackupBelow > n && !v.ResolveAll {
		p.advise(cmp.Or(b.lines["backupbelow"], v.Line), CodeReadAs, fmt.Sprintf("backupbelow = %s of %s: backup servers are needed at any time", asWritten(p, b, "backupbelow", v.BackupBelow), realServers(n)),
			fmt.Sprintf("backupbelow = %d, or real in place of backup", n))
	}
	if backups == 0 || quorum <= v.BackupBelow || v.Fallback == nil || v.KeepRest {
		return // without a fallback, and with quorumrest = keep, a lost quorum takes no server out
	}
	text := fmt.Sprintf("backupbelow = %d is less than the quorum of %d: with %s up the fallback takes over while backup servers wait",
		v.BackupBelow, quorum, fromTo(v.BackupBelow, quorum-1))
	if v.BackupBelow-1+backups < quorum {
		text = fmt.Sprintf("the backup servers are never in service: with backupbelow = %d they come in while the quorum of %d is lost", v.BackupBelow, quorum)
	}
	p.advise(cmp.Or(b.lines["backupbelow"], b.lines["quorum"], v.Line), CodeUnusedDirective, text, fmt.Sprintf("backupbelow = %d", quorum))
}

func realServers(n int) string {
	if n == 1 {
		return "1 real server"
	}
	return fmt.Sprintf("%d real servers", n)
}

// fromTo is so many real servers.
func fromTo(from, to int) string {
	if from == to {
		return realServers(from)
	}
	return fmt.Sprintf("%d to %d real servers", from, to)
}
