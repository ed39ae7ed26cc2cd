package chaos

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// The flapdamping of those services that have one, and how long it keeps a real server out at
// most: until it looks each second.
const (
	dampCount  = 2
	dampWithin = 30 * time.Second
	dampBound  = 16*dampWithin + 2*time.Second
)

// flapAlone has a real server go down and come back until flapdamping keeps it out, and the others
// of its service go down then.
func (s *stage) flapAlone() {
	v, p := s.anyPair()
	if !v.damp || !v.configured || !p.configured {
		return
	}
	s.note("10.1.0.%d of service %d flaps, and the others go down", p.host, p.service)
	set := func(p *pair, works bool) { s.with(func() { p.works = works }) }
	for range dampCount {
		set(p, true)
		s.sleep(6 * time.Second)
		set(p, false)
		s.sleep(8 * time.Second)
	}
	set(p, true)
	s.sleep(6 * time.Second)
	for _, o := range v.pairs[1:] {
		set(o, o == p)
	}
	s.sleep(12 * time.Second)
	table, err := s.Table.Read()
	if err != nil || s.failing > 0 || s.blind || s.local {
		return
	}
	s.with(func() { s.dampedLast(table) })
}

// wentDown notes that the checks have made the real server go down.
func (p *pair) wentDown() {
	p.downs = append(p.downs, time.Now())
	p.downs = p.downs[max(0, len(p.downs)-dampCount):]
	if n := len(p.downs); n == dampCount && p.downs[n-1].Sub(p.downs[0]) <= dampWithin {
		p.damped = time.Now()
	}
}

// mayBeDamped says whether flapdamping may keep the real server out now. The model does not say
// whether it does: that depends on the others at the moment when it went down, and since.
func (w *world) mayBeDamped(p *pair) bool { return w.services[p.service].damp && p.mayHaveBeenDamped() }

// mayHaveBeenDamped is mayBeDamped for as long as a reload may have ended it.
func (p *pair) mayHaveBeenDamped() bool {
	return !p.damped.IsZero() && time.Since(p.damped) < dampBound
}

// anyDamped says whether flapdamping may keep a real server out now.
func (w *world) anyDamped() bool {
	for _, s := range w.services[1:] {
		if slices.ContainsFunc(s.pairs[1:], w.mayBeDamped) {
			return true
		}
	}
	return false
}

// dampedLast sees that flapdamping keeps no real server out that works while no other is in service.
func (w *world) dampedLast(table []ipvs.Entry) {
	for _, e := range table {
		n := number(e.Service.Key)
		if n == 0 || !w.services[n].damp || !w.services[n].configured {
			continue
		}
		in := false
		for _, d := range e.Destinations {
			in = in || d.Weight > 0 && d.AddrPort != fallbackAt
		}
		s := w.services[n]
		for _, p := range s.pairs[1:] {
			if !in && w.mayBeDamped(p) && !p.unsure && !p.mayWait && !p.refused && w.sound(p) && w.in(p) && p.full() > 0 {
				w.say("service %d: flapdamping keeps out %s, and no other is in service; %s", n, p.name(), w.words(s))
			}
		}
	}
}
