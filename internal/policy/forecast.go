package policy

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// RuleOf returns the rule of a virtual service, with its fallback.
func RuleOf(v *conf.VirtualService) Rule {
	n, below := v.RealCount(), 0
	if n < len(v.Reals) {
		below = v.BackupBelow
	}
	return Rule{
		Reals: n, MinAlive: v.MinAlive.Of(n), Quorum: v.Quorum.Of(n), Hysteresis: v.Hysteresis, KeepRest: v.KeepRest,
		BackupBelow: below, Fallback: v.Fallback != nil,
	}
}

// An Outlook is who is in service when so many servers are dead.
type Outlook struct {
	Dead, DeadBackups int
	In, Kept          int // real servers in service; those of them that minalive keeps
	Backups           int // backup servers in service
	Leave             int // real servers that are up and leave for want of a quorum
	Expire            int // dead servers that have weight 0 and leave the table later (quiescenttime)
	Fallback          bool
}

// Forecast returns who is in service when no real server is dead, one, and so on to all, and then all
// backup servers, too. They die one after the other, the last one of the file first.
func Forecast(v *conf.VirtualService) []Outlook {
	rule, standing := RuleOf(v), Standing{}
	members := make([]Member, len(v.Reals))
	for i, r := range v.Reals {
		members[i] = Member{Server: Server{Weight: r.Weight, Verdict: Up, Agent: 100, Reached: 100, Quiescent: v.Quiesces()}, Backup: r.Backup}
	}
	var list []Outlook
	look := func() {
		g := Judge(rule, standing, members)
		standing = g.Standing
		entries, fallback := g.Entries(rule, members)
		o := outlookOf(entries, members)
		if o.Fallback = fallback; v.QuiescentTime > 0 {
			o.Expire = staying(entries) - staying(afterQuiescence(rule, standing, members))
		}
		list = append(list, o)
		for i := range members {
			members[i].Serves = g.Kept != nil && g.Kept[i]
		}
	}
	look()
	for i := len(members) - 1; i >= 0; i-- {
		if m := &members[i]; !m.Backup {
			m.Verdict, m.Serves, m.Since = Down, standing.Quorum != QuorumLost, time.Unix(int64(len(list)), 0)
			look()
		}
	}
	if len(members) > rule.Reals {
		for i := range members {
			members[i].Verdict = Down
		}
		look()
	}
	return list
}

// afterQuiescence are the entries when all servers that are dead have been so for quiescenttime.
func afterQuiescence(rule Rule, standing Standing, members []Member) []Decision {
	later := slices.Clone(members)
	for i := range later {
		later[i].Expired = later[i].Verdict == Down
	}
	entries, _ := Judge(rule, standing, later).Entries(rule, later)
	return entries
}

// staying is how many servers are out of service, and in the table with weight 0.
func staying(entries []Decision) (n int) {
	for _, d := range entries {
		if d.Stays {
			n++
		}
	}
	return n
}

// outlookOf counts the servers by their entries.
func outlookOf(entries []Decision, members []Member) (o Outlook) {
	for i, d := range entries {
		m := members[i]
		switch {
		case m.Backup && m.Verdict == Down:
			o.DeadBackups++
		case m.Backup && d.In:
			o.Backups++
		case m.Backup:
		case d.In && m.Verdict == Down:
			o.In, o.Kept, o.Dead = o.In+1, o.Kept+1, o.Dead+1
		case d.In:
			o.In++
		case m.Verdict == Down:
			o.Dead++
		case d.Reason == TooFewUp:
			o.Leave++
		}
	}
	return o
}

// Like reports whether two outlooks differ in how many real servers are dead alone.
func (o Outlook) Like(p Outlook) bool {
	return o.Kept == 0 && p.Kept == 0 && o.Fallback == p.Fallback && o.Backups == p.Backups && (o.In > 0) == (p.In > 0) && (o.Leave > 0) == (p.Leave > 0) && (o.Expire > 0) == (p.Expire > 0) &&
		o.DeadBackups == p.DeadBackups
}
