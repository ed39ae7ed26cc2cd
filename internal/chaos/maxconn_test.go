package chaos

import (
	"fmt"
	"math/rand/v2"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A limit is thresholds of connections, 0 is none.
type limit struct{ upper, lower uint32 }

func (l limit) String() string {
	if l == (limit{}) {
		return ""
	}
	return fmt.Sprintf(" u:%d l:%d", l.upper, l.lower)
}

// A written is the thresholds that the table has, and had before the last change.
type written struct{ limit, before limit }

// A limiting is what the model knows of the thresholds of a real server.
type limiting struct {
	file limit
	says uint32 // the maxconn of its agent, 0 is none
	most uint32 // what its agent has said, or the table had before it did; 0 is that of the file
}

// shakeLimits changes the thresholds in the file.
func (s *service) shakeLimits(random *rand.Rand) {
	for _, p := range s.pairs[1:] {
		p.limiting.file = []limit{{}, {}, {40, 20}, {50, 0}}[random.IntN(4)]
		if p.bad {
			p.limiting.file = limit{}
		}
	}
}

// answers says whether the real server has an agent.
func (s *service) answers() bool { return s.agent || s.beside }

// loadLimits takes the upper threshold of the table for what an agent has allowed that has not answered yet.
func (w *world) loadLimits(p *pair) {
	s := w.services[p.service]
	if !s.answers() || !s.configured || !p.configured {
		p.most = 0
		return
	}
	if _, held := w.table[p.key][p.at]; held && p.share == noShare {
		if upper := w.limits[p.place].limit.upper; upper != p.limiting.file.upper {
			p.most = upper
		}
	}
}

// limit is the thresholds that the table is to have of the real server: the lower one stays below the upper one.
func (p *pair) limit() limit {
	l := p.limiting.file
	if p.bad {
		l.lower = 5
	}
	if most := p.most; most > 0 && (p.share != noShare || !p.agentSilent()) {
		l = limit{most, min(l.lower, most-1)}
	}
	return l
}

// refused says whether no kernel takes the thresholds.
func (p *pair) refused() bool { return p.bad && p.limit().upper == 0 }

// judgeLimit judges the thresholds of an entry that the director writes.
func (w *world) judgeLimit(c ipvs.Change, s *service, p *pair) {
	if c.Op == ipvs.DeleteDestination || p == nil || w.loads(p.service) {
		return
	}
	if l := w.limits[place{c.Service.Key, c.Destination.AddrPort}]; w.faulty && (limitOf(c.Destination) == l.limit || limitOf(c.Destination) == l.before) {
		return // a weight that is lowered alone, as the kernel has failed
	}
	if want := w.notLimited(s, c.Destination); want != "" {
		w.say("%s: the thresholds are%s, want%s; %s", c, limitOf(c.Destination), want, w.words(s))
	}
}

// settledLimits compares the thresholds in the table with those of the documents.
func (w *world) settledLimits(n int, s *service, e ipvs.Entry) {
	for _, d := range e.Destinations {
		if want := w.notLimited(s, d); want != "" {
			w.say("service %d when all is settled: the thresholds of %s are%s, want%s; %s", n, d.AddrPort, limitOf(d), want, w.words(s))
		}
	}
}

// notLimited is the thresholds that an entry is to have if it has others. Two real servers that are one entry may want
// different ones: those of the one in service count, and of any if none is.
func (w *world) notLimited(s *service, d ipvs.Destination) string {
	p := w.pairAt(s, d.AddrPort)
	if p == nil || !p.configured || p.refused() {
		return ""
	}
	for _, o := range s.pairs[1:] {
		if o.at == p.at && o.configured && (o == p || !w.in(p)) && o.limit() == limitOf(d) {
			return ""
		}
	}
	return " " + p.limit().String()
}

func limitOf(d ipvs.Destination) limit { return limit{d.Upper, d.Lower} }

// limited notes the thresholds of a change of the table.
func (w *world) limited(c ipvs.Change) {
	at := place{c.Service.Key, c.Destination.AddrPort}
	switch c.Op {
	case ipvs.AddDestination, ipvs.EditDestination:
		w.limits[at] = written{limitOf(c.Destination), w.limits[at].limit}
	case ipvs.DeleteDestination:
		delete(w.limits, at)
	default:
		if c.Op == ipvs.DeleteService {
			for at := range w.limits {
				if at.key == c.Service.Key {
					delete(w.limits, at)
				}
			}
		}
	}
}
