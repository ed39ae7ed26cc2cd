package chaos

import (
	"math/rand/v2"
	"net/netip"
	"slices"
)

// The standing of a quorum, or of backup servers, in the model: what first checks decide is unknown.
type standing uint8

const (
	open standing = iota
	yes           // the quorum is met, the backup servers are needed
	no
)

// A joint is what the file says of the servers of a service together, and what follows. The last server
// of the file is the backup server, if there is one.
type joint struct {
	quorum, hysteresis int
	rest, backup       bool
	before             [2]int // quorum and hysteresis of the last load
	met, needed        standing
	doubt              bool // met may be wrong
}

// shakeJoint changes what the file says of the servers together.
func (s *service) shakeJoint(random *rand.Rand) {
	j := joint{before: s.joint.before, met: s.joint.met, needed: s.joint.needed, doubt: s.joint.doubt}
	if random.IntN(2) == 0 {
		j.quorum, j.hysteresis, j.rest = random.IntN(4), random.IntN(2), random.IntN(4) == 0
		j.backup = random.IntN(2) == 0
	}
	s.joint = j
}

func (j *joint) on() bool { return j.quorum > 0 || j.backup }

// isBackup says whether p is the backup server of its service.
func (w *world) isBackup(p *pair) bool { return w.services[p.service].joint.backup && p.host == hosts }

// decide decides about the servers of a service together, as docs/checks.md says.
func (w *world) decide(s *service) {
	j := &s.joint
	j.doubt = j.doubt || slices.ContainsFunc(s.pairs[1:], w.doubtful) || w.faulty
	if !s.configured || !j.on() {
		j.met, j.needed, j.doubt = open, open, false
		return
	}
	var ups, may [2]int // of real servers and of backup servers
	all, has := 0, false
	for _, p := range s.pairs[1:] {
		if !p.configured {
			continue
		}
		of := 0
		if w.isBackup(p) {
			of, has = 1, true
		} else {
			all++
		}
		isUp := p.verdict == up && w.alone(p)
		if isUp {
			ups[of]++
		}
		if isUp || !p.waits && (!p.heard || p.awaits()) && !p.held && p.order != "drain" && p.order != "disable" && p.verdict != down {
			may[of]++
		}
	}
	switch {
	case !has || ups[0] >= 1:
		j.needed = no
	case may[0] < 1:
		j.needed = yes
	}
	w.decideQuorum(j, all, ups, may)
}

func (w *world) decideQuorum(j *joint, all int, ups, may [2]int) {
	n, most := ups[0], may[0]
	switch j.needed {
	case yes:
		n, most = n+ups[1], most+may[1]
	case open:
		most += may[1]
	}
	quorum := min(j.quorum, all)
	want := quorum
	if j.met == no {
		want = min(j.quorum+j.hysteresis, all)
	}
	switch {
	case quorum == 0:
		j.met = open
	case n >= want:
		j.met = yes
	case j.met == no, most < quorum:
		j.met = no
	}
	if quorum == 0 {
		j.met = yes
	}
}

// lost says whether the quorum is lost.
func (s *service) lost() bool { return s.joint.quorum > 0 && s.joint.met == no }

// together says whether the state of the service as a whole lets the real server be in service.
func (w *world) together(p *pair) bool {
	s := w.services[p.service]
	j := s.joint
	inTable := w.table[p.key][p.at] > 0
	switch {
	case w.isBackup(p) && j.needed == no:
		return false
	case w.isBackup(p) && j.needed == open:
		return inTable
	case j.quorum == 0, !s.fallback, j.rest, j.met == yes:
		return true
	case j.met == no:
		return false
	}
	return inTable
}

// unclear says whether what is known of the servers of a service does not say for sure what is decided about
// them together.
func (w *world) unclear(s *service) bool {
	return s.joint.on() && (w.faulty || s.joint.doubt || s.joint.met == open || slices.ContainsFunc(s.pairs[1:], w.doubtful))
}

// doubtful says whether it is not known of a real server of the file whether it counts.
func (w *world) doubtful(p *pair) bool {
	return p.configured && (p.unsure || p.mayWait || w.mayBeDamped(p))
}

// resolveJoint decides anew when all is settled. Between the quorum and its hysteresis the fallback shows
// whether the quorum was lost before, where this is not known.
func (w *world) resolveJoint(s *service, got map[netip.AddrPort]int) {
	if !s.joint.on() {
		return
	}
	doubt := false
	if _, there := got[fallbackAt]; s.joint.doubt {
		if s.joint.met = yes; there {
			s.joint.met = no
		}
		for _, p := range s.pairs[1:] { // the fallback may be in as the kernel refuses this one
			doubt = doubt || there && p.configured && p.refused() && got[p.at] == 0 && w.alone(p)
		}
		for _, p := range s.pairs[1:] {
			switch weight, held := got[p.at]; {
			case !doubt || !held || !w.alone(p):
			case s.joint.rest && weight > 0: // the fallback is beside it
				doubt = false
			case weight > 0 || !s.quiescent:
				s.joint.met = yes
			}
		}
	}
	s.joint.doubt = doubt
	w.keep(s)
}
