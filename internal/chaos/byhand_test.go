package chaos

import (
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A wait is whether a real server waits for an operator (return = byhand), as far as that is known.
type wait struct {
	waits, mayWait bool
	wasIn, mayBeIn bool      // what follows from the last change: in service, and not sure
	carried        bool      // the table had it in service at this turn
	carrying       bool      // before this result, which may ask for a weight
	mayClimb       time.Time // when it may have begun to climb, as it may have waited
}

// leave notes which real servers of a service have left by their checks since the last change.
func (w *world) leave(s *service) {
	for _, p := range s.pairs[1:] {
		if !s.configured || !p.configured || !s.byHand {
			p.wasIn, p.mayBeIn = false, false
			continue
		}
		byChecks := p.verdict == down && !p.held && (p.unsure || p.order != "drain" && p.order != "disable") // an order may have ended by itself
		carried := p.carried || w.carries(p)
		switch {
		case p.waits || !byChecks || !p.mayBeIn && !p.unsure || !carried && !w.faulty:
		case p.wasIn && !p.kept && !p.unsure && carried && !w.lost[p.place]:
			p.waits, p.mayWait = true, false
		case !p.kept || p.unsure || w.unclear(s): // a quorum that is lost ends what minalive keeps
			p.mayWait = true
			w.doubtWait(s)
		}
		w.noteIn(p)
	}
}

// noteIn notes whether the real server is to be in service.
func (w *world) noteIn(p *pair) {
	s := w.services[p.service]
	p.mayBeIn = s.byHand && w.mightBe(p, true)
	p.wasIn, p.carried = p.mayBeIn && !w.mightBe(p, false), false
}

// carries says whether the table has the real server in service: also with the weight 0 of the file or of somebody,
// and one that somebody has just deleted.
func (w *world) carries(p *pair) bool {
	weight, held := w.table[p.key][p.at]
	return p.stolen || held && (weight > 0 || p.full() == 0)
}

// deleted notes that an entry was deleted, and that this was reported as a failure.
func (w *world) deleted(s *service, at netip.AddrPort) {
	if p := w.pairAt(s, at); p != nil {
		p.gone = true
	}
}

// doubtWait is that it is not known whether a real server of s waits: minalive may keep another one for it.
func (w *world) doubtWait(s *service) {
	for _, p := range s.pairs[1:] {
		p.unsure = p.unsure || s.minAlive > 0
	}
}

// loadWaits is what a start or a reload makes of those that wait: it ends where the file has no return = byhand any
// more, and where the table has one in service.
func (w *world) loadWaits(s *service) {
	for _, p := range s.pairs[1:] {
		if !s.configured || !p.configured {
			continue
		}
		p.waitsByName = s.isNamed(p) && !s.naming.all
		shared := slices.ContainsFunc(s.pairs[1:], func(o *pair) bool { return o != p && o.configured && o.at == p.at })
		if !s.byHand || p.verdict == unchecked && w.table[p.key][p.at] > 0 && !shared {
			w.endWait(p)
		}
	}
}

// endWait lets the checks decide again.
func (w *world) endWait(p *pair) {
	s := w.services[p.service]
	if (p.waits || p.mayWait) && p.verdict == up && s.slow {
		if w.startSlowly(p); !p.waits { // it may not have waited
			p.mayClimb = time.Now()
		}
	}
	if p.mayWait && s.shared && s.minAlive > 0 { // which of the two minalive has kept does not show
		p.unsure = true
	}
	p.waits, p.mayWait = false, false
	w.noteIn(p)
}

// letIn has an operator let those in that wait, also those that the file does not have.
func (s *stage) letIn() {
	v, _ := s.anyPair()
	s.enable(v, func(p *pair) bool { return p.waits || p.mayWait })
}

// enable is the order for those real servers of a service of which a func is true.
func (s *stage) enable(v *service, of func(*pair) bool) {
	for _, p := range v.pairs[1:] {
		if !of(p) {
			continue
		}
		known := p.waits || v.configured && p.configured
		o := report.Order{Verb: report.Enable, Real: p.name(), Virtual: virtualName(p.service), By: "alice"}
		s.note("enable %s of %s, which waits: %v", o.Real, o.Virtual, p.waits)
		s.with(func() {
			s.endWait(p)
			s.obey(p, o)
		})
		_, _, err := s.d.Obey(s.t.Context(), o)
		if err != nil && known {
			s.with(func() { s.say("%s of %s waits, and is not known: %v", o.Real, o.Virtual, err) })
		}
	}
}

// settleWaits makes known of each real server of the file whether it waits, when all has come to rest.
func (s *stage) settleWaits() {
	unknown := func(p *pair) bool { return s.services[p.service].configured && p.configured && p.mayWait }
	if !slices.ContainsFunc(s.services[1:], func(v *service) bool { return slices.ContainsFunc(v.pairs[1:], unknown) }) {
		return
	}
	table, err := s.Table.Read()
	if err != nil {
		s.t.Fatal(err)
	}
	s.with(func() {
		for _, e := range table {
			if n := number(e.Service.Key); n > 0 {
				s.resolve(s.services[n], weights(e))
				s.resolveJoint(s.services[n], weights(e))
			}
		}
	})
	for _, v := range s.services[1:] {
		s.enable(v, unknown)
	}
	s.sleep(25 * time.Second)
}
