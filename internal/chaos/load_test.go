package chaos

import "time"

// begin is what a start or a reload makes of the model: who is in the table with
// a weight, and not known, is up until a check says otherwise.
func (w *world) begin(start bool) {
	w.takeOrders()
	for n := 1; n <= services; n++ {
		w.beginService(n, start)
	}
}

// beginService is begin for one service.
func (w *world) beginService(n int, start bool) {
	s := w.services[n]
	if !s.invalid {
		s.inForce = s.scheduler
	}
	if rule := [2]int{s.joint.quorum, s.joint.hysteresis}; start || rule != s.joint.before {
		s.joint.met, s.joint.before = open, rule
	}
	if start {
		s.joint.needed = open
	}
	var found [hosts + 1]bool // in service at a load before, and not heard since
	for _, p := range s.pairs[1:] {
		agent, external := p.unknown()
		found[p.host] = p.found && (agent || external && p.order != "weight")
	}
	s.followName()
	s.followWait()
	w.loadWaits(s)
	hands := map[*entry]int{}
	for _, p := range s.pairs[1:] {
		hands[p.entry] = p.hand
	}
	served := false
	for _, p := range s.pairs[1:] {
		p.hand, p.absent, p.gone = -1, false, false
		if !s.slow {
			p.climbed = time.Time{}
		}
		s.loadWishes(p)
		w.loadLimits(p)
		agent, external := p.unknown()
		p.found = (agent || external) && (found[p.host] || w.table[p.key][p.at] > 0)
		p.foundNow = p.found && !found[p.host]
		if !p.configured || !s.configured {
			p.verdict, p.fails, p.goods, p.held, p.heard, p.parts = unchecked, 0, 0, false, false, nil
			continue
		}
		s.takeParts(p)
		if p.verdict == unchecked && w.table[p.key][p.at] > 0 {
			p.verdict, p.changed = up, time.Now()
			p.assumeParts()
		}
		if !start {
			p.hand = hands[p.entry] // the operator's weight 0 is service, too
		}
		served = served || w.serves(p)
		p.hand = -1
	}
	w.keepForeign(n, s, start, served)
	w.keep(s)
}
