package policy

import "time"

// A Rule is what a configuration says of the servers of a virtual service together. With the zero
// Rule each of them is judged by itself.
type Rule struct {
	Reals       int  // configured real servers; backup servers are none
	MinAlive    int  // checks alone leave so many in service
	Quorum      int  // so many must be up; 0 is no quorum
	Hysteresis  int  // so many more must be up again after a loss of the quorum
	KeepRest    bool // without the quorum the living ones stay beside the fallback
	BackupBelow int  // backup servers are needed while fewer real servers are up; 0: there are none
	Fallback    bool // there is one, and the kernel takes it
	FallbackIn  bool // the table has it
}

// Joint reports whether servers are judged together, by a quorum or as backup servers.
func (r Rule) Joint() bool { return r.Quorum > 0 || r.BackupBelow > 0 }

// A Member is a server of a virtual service, with all that a decision about the whole reads of it.
type Member struct {
	Server
	Backup  bool      // it is a backup server
	Awaited bool      // its first check may still find it up
	Serves  bool      // it is kept already, or its checks have failed while it was in service
	Since   time.Time // of the verdict
}

// A Standing is the last decision about a virtual service as a whole. It is an input of the next
// decision, for hysteresis. The zero Standing is that of a start.
type Standing struct {
	Quorum  Quorum
	Backups Backups
}

// A Ruling is the decision about a virtual service as a whole. What follows from it for each
// server is in Entries.
type Ruling struct {
	Standing
	Ups         // zero without a quorum and backup servers
	Kept []bool // the servers that minalive keeps, in the order of the members; nil is none
}

// Ups are how many servers of a virtual service are up.
type Ups struct {
	RealsUp, BackupsUp int
	ForQuorum          int // with the backup servers in service
}

// Judge decides about a virtual service as a whole. Real servers come before backup servers, these
// before the fallback.
func Judge(rule Rule, before Standing, members []Member) Ruling {
	var g Ruling
	var c upCount
	if rule.Joint() {
		c = countUp(members)
	}
	g.Backups = rule.backups(before.Backups, c)
	up, may := c.withBackups(g.Backups)
	g.Quorum = rule.quorum(before.Quorum, up, may)
	g.Ups = Ups{RealsUp: c.reals, BackupsUp: c.backups, ForQuorum: up}
	if rule.MinAlive > 0 && g.Quorum != QuorumLost {
		backupsIn := 0
		if g.Backups == BackupsNeeded {
			backupsIn = c.backups
		}
		g.Kept = rule.keep(members, backupsIn)
	}
	return g
}

// Entries returns what follows from a ruling by the rule: the entry of each server with the reason,
// in the order of the members, and whether the fallback is in.
func (g Ruling) Entries(rule Rule, members []Member) (servers []Decision, fallback bool) {
	servers = make([]Decision, len(members))
	anyIn := false
	for i, m := range members {
		s := m.Server
		s.Kept = g.Kept != nil && g.Kept[i]
		s.Joint = g.For(rule, m.Backup)
		servers[i] = Decide(s)
		anyIn = anyIn || servers[i].In
	}
	return servers, rule.NeedsFallback(g.Standing, anyIn)
}

// NeedsFallback reports whether the fallback is to be in. anyIn is whether a server is in service.
func (r Rule) NeedsFallback(s Standing, anyIn bool) bool {
	return r.Fallback && (!anyIn || r.fallbackBeside(s))
}

// fallbackBeside reports whether the fallback is to be in whatever servers are in service. While
// first checks decide about the quorum it stays as the table has it.
func (r Rule) fallbackBeside(s Standing) bool {
	return r.Quorum > 0 && (s.Quorum == QuorumLost || s.Quorum == QuorumUnknown && r.FallbackIn)
}

// A Joint is what the state of a virtual service as a whole means for one of its servers.
type Joint uint8

// The values of Joint. The zero Joint leaves the decision to the server's own state.
const (
	Alone       Joint = iota
	AsFound           // first checks go on: what the table has in service stays, and nothing comes in
	NotNeeded         // a backup server, and enough real servers are up
	BelowQuorum       // too few are up: the fallback takes over
)

// For returns what a standing means for a server of a virtual service with the rule.
func (s Standing) For(r Rule, backup bool) Joint {
	switch {
	case !r.Joint():
		return Alone
	case backup && s.Backups == BackupsIdle:
		return NotNeeded
	case backup && s.Backups == BackupsUnknown:
		return AsFound
	case r.Quorum == 0 || !r.Fallback || r.KeepRest || s.Quorum == QuorumMet:
		return Alone
	case s.Quorum == QuorumLost:
		return BelowQuorum
	}
	return AsFound
}

// An upCount is how many servers are up, and how many may be: unchecked ones count there.
type upCount struct{ reals, backups, mayReals, mayBackups int }

func countUp(members []Member) (c upCount) {
	for i := range members {
		m := &members[i]
		up, may := &c.reals, &c.mayReals
		if m.Backup {
			up, may = &c.backups, &c.mayBackups
		}
		is := m.up()
		if is {
			*up++
		}
		if is || m.Awaited {
			*may++
		}
	}
	return c
}

// withBackups returns how many are up for the quorum, and how many may be. Backup servers count
// while they are in service.
func (c upCount) withBackups(b Backups) (up, may int) {
	switch up, may = c.reals, c.mayReals; b {
	case BackupsNeeded:
		return up + c.backups, may + c.mayBackups
	case BackupsUnknown:
		return up, may + c.mayBackups
	}
	return up, may
}

// up reports whether the server counts as up for quorum and backup servers: its checks say so, and
// neither maintenance, an operator nor the server itself takes it out.
func (s Server) up() bool {
	if s.Verdict != Up {
		return false
	}
	s.Kept, s.Joint = false, Alone
	return Decide(s).In
}
