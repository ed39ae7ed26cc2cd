package chaos

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// judge judges a change that the director makes.
func (w *world) judge(c ipvs.Change) {
	w.judged++
	n := number(c.Service.Key)
	if ours := n > 0 && (w.services[n].configured || w.loading && w.old[n]); !ours {
		w.say("%s: a write to a foreign service", c)
		return
	}
	s := w.services[n]
	if w.quiet != "" {
		w.say("%s: a write at %s", c, w.quiet)
	}
	if c.Op == ipvs.DeleteService && s.configured && (!w.stopping || !s.cleanStop) {
		w.say("%s: the service is in the file", c)
	}
	if c.Op <= ipvs.DeleteService {
		return
	}
	at, after := c.Destination.AddrPort, c.Destination.Weight
	if c.Op == ipvs.DeleteDestination {
		after = 0
	}
	before := w.table[c.Service.Key][at]
	p := w.pairAt(s, at)
	w.judgeWeight(c, s, p)
	w.judgeLimit(c, s, p)
	switch {
	case before == 0 && after > 0:
		w.judgeIn(c, s, p)
	case before > 0 && after == 0:
		w.judgeOut(c, s, p)
	}
}

func (w *world) judgeIn(c ipvs.Change, s *service, p *pair) {
	at := c.Destination.AddrPort
	switch {
	case at == fallbackAt && (s.lost() || w.unclear(s)):
	case at == fallbackAt:
		for _, o := range s.pairs[1:] {
			if !w.may(o, false) && !w.lost[o.place] && w.table[o.key][o.at] > 0 {
				w.say("%s: the fallback beside %v, which is in service", c, o.at)
			}
		}
	case p == nil || !p.configured:
		w.say("%s: puts in what is not in the file", c)
	case !slices.ContainsFunc(s.pairs[1:], func(o *pair) bool { return o.at == at && o.configured && w.may(o, true) }):
		w.say("%s: puts in what is not known to be good (verdict %d, order %q, maintenance %v); %s", c, p.verdict, p.order, p.held, w.words(s))
	}
}

func (w *world) judgeOut(c ipvs.Change, s *service, p *pair) {
	at := c.Destination.AddrPort
	switch {
	case at == fallbackAt:
		if !s.fallback || w.unclear(s) {
			return
		}
		for _, o := range s.pairs[1:] {
			_, held := w.table[o.key][o.at]
			if (held || o == s.unseen) && o.configured && w.may(o, true) {
				return
			}
		}
		w.say("%s: the fallback leaves, and no real server is in; %s", c, w.words(s))
	case p == nil || !p.configured:
		// It may have waited since the reload for a refused one, or for a kernel that failed.
		if !w.loads(number(c.Service.Key)) && !w.faulty && !slices.ContainsFunc(s.pairs[1:], func(p *pair) bool { return p.configured && p.refused() }) {
			w.say("%s: takes out what somebody has added", c)
		}
	case !w.may(p, false) && p.full() > 0:
		w.say("%s: takes out what is not known to be bad (verdict %d, order %q); %s", c, p.verdict, p.order, w.words(s))
	case s.fallback && !w.unclear(s) && p.verdict == down && !p.held && p.order == "" && w.last(c, s):
		w.say("%s: the last one leaves, and the fallback is not in", c)
	}
}

// judgeWeight judges how much a real server in service gets: its weight, and while
// it climbs (slowstart) no more than it has reached.
func (w *world) judgeWeight(c ipvs.Change, s *service, p *pair) {
	got := c.Destination.Weight
	before := w.table[c.Service.Key][c.Destination.AddrPort]
	if p != nil && (w.starting || w.loads(p.service) && p.foundNow) && p.configured && p.found && p.awaits() && p.order != "weight" && before > 0 && got > 0 && got != before {
		w.say("%s: its weight was %d, and it has not answered since then; %s", c, before, w.words(s))
	}
	if c.Op == ipvs.DeleteDestination || got == 0 || p == nil || !p.configured || p.unsure || w.loads(p.service) || p.part() == noShare {
		return
	}
	if p == s.unseen && time.Since(p.changed) < 4*time.Second { // driftcheck finds what somebody has set before its verdict
		return
	}
	if p.hand >= 0 && w.unclear(s) { // a quorum that is lost ends what somebody has set, and a fallback that is refused leaves it in
		return
	}
	if s.shared && w.unclear(s) && w.inDoubtBeside(p) { // which of the two is in service is not known
		return
	}
	if s.slow && time.Since(p.mayClimb) < slowStart+2*time.Second { // when it has begun to climb is not known
		return
	}
	if before == 0 && w.undamped(s, p) {
		p.climbed, p.atFull = time.Now(), false
	}
	mayClimb := s.slow && p.mayHaveBeenDamped() // when it has begun to climb is not known, but not before its checks were good
	if want := p.full(); got > w.most(p) && (got != want || !p.atFull) || got < want && !w.climbs(p) && !mayClimb && (!p.kept || !s.slow) {
		w.say("%s: the weight is %d, and at most %d now; %s", c, want, w.most(p), w.words(s))
	}
}

// last says whether a change surely takes the last destination of a service out of
// service. The director may believe in what somebody has just taken away, or
// respect a weight of 0.
func (w *world) last(c ipvs.Change, s *service) bool {
	for at, weight := range w.table[c.Service.Key] {
		if weight > 0 && at != c.Destination.AddrPort {
			return false
		}
	}
	return s.unseen == nil && !w.loads(number(c.Service.Key)) && !slices.ContainsFunc(s.pairs[1:], func(p *pair) bool {
		return p.unsure || p.mayWait || w.lost[p.place] || w.in(p) && p.full() == 0
	}) && !w.lost[place{c.Service.Key, fallbackAt}]
}
