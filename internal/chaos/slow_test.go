package chaos

import "time"

// slowLimit is the slowlimit of those services that have one.
const slowLimit = time.Second

// slowStart is the slowstart of those services that have one.
const slowStart = 6 * time.Second

// climbs says whether the real server may not have reached its weight yet.
func (w *world) climbs(p *pair) bool { return time.Since(p.climbed) < slowStart+2*time.Second }

// most is the most that slowstart allows of the weight of the real server by now: of the share that its agent wants
// and of that which slowstart has reached, the lesser one counts.
func (w *world) most(p *pair) int {
	weight, base := p.full(), p.base()
	if p.hand >= 0 {
		base = p.hand
	}
	reached := 10 + int(time.Since(p.climbed)*100/slowStart)
	if weight == 0 || !w.climbs(p) || reached >= 100 {
		return weight
	}
	return min(weight, max(1, base*reached/100))
}

// undrained is that the own answer of the real server drains it no longer: its weight climbs from then on, but for
// an agent in the place of its check.
func (w *world) undrained(p *pair) {
	if s := w.services[p.service]; s.slow && !s.agent && p.verdict == up && !p.held {
		w.startSlowly(p)
		p.atFull = false
	}
}

// startSlowly has the weight climb from now on, unless the entry is in service with all of it by another real server.
func (w *world) startSlowly(p *pair) {
	s := w.services[p.service]
	now := time.Now()
	p.climbed = now
	if p.unsure && s.minAlive > 0 { // it may have been kept
		p.mayClimb = now
	}
	for _, o := range s.pairs[1:] {
		mayClimb := time.Since(o.mayClimb) < slowStart+2*time.Second || w.climbs(o) && o.atFull || o.kept // it does not climb while it is down
		switch {
		case o == p || o.at != p.at || w.climbs(o) && !mayClimb:
		case w.loads(p.service): // what the other one is by then
			p.mayClimb = now
		case w.in(o) && !mayClimb:
			p.climbed = time.Time{}
		case w.may(o, true):
			p.mayClimb = now
		}
	}
}
