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
// of its service, or one of them, go down then. All may be well before.
func (s *stage) flapAlone() {
	v, p := s.anyPair()
	for range 8 {
		if v.damp && v.configured && p.configured {
			break
		}
		v, p = s.anyPair()
	}
	if !v.damp || !v.configured || !p.configured {
		return
	}
	first, last := 1, hosts
	if s.random.IntN(2) == 0 {
		first = 1 + s.random.IntN(hosts)
		last = first
	}
	s.note("10.1.0.%d of service %d flaps, and %d to %d of the others go down", p.host, p.service, first, last)
	if s.random.IntN(2) == 0 {
		s.mend(v)
	}
	set := func(p *pair, works bool) { s.with(func() { p.source(ownCheck).works = works }) }
	for range dampCount {
		set(p, true)
		s.sleep(6 * time.Second)
		set(p, false)
		s.sleep(8 * time.Second)
	}
	set(p, true)
	s.sleep(6 * time.Second)
	for _, o := range v.pairs[first : last+1] {
		set(o, o == p)
	}
	s.sleep(12 * time.Second)
	table, err := s.Table.Read()
	if err != nil || s.failing > 0 || s.blind || s.local {
		return
	}
	s.with(func() { s.dampedLast(table) })
}

// mend lets all real servers of a service be well, and nothing else keep them out.
func (s *stage) mend(v *service) {
	s.note("all of it are mended")
	s.with(func() {
		s.clearFiles()
		for _, p := range v.pairs[1:] {
			p.source(ownCheck).works, p.broken = true, [kinds]bool{}
		}
	})
	s.sleep(2 * time.Second)
	s.enable(v, func(p *pair) bool { return p.waits || p.mayWait || p.configured && p.own.order != "" })
	s.sleep(6 * time.Second)
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

// undamped says whether a real server that comes in now was surely damped until now: it could have been in before.
func (w *world) undamped(s *service, p *pair) bool {
	return s.slow && w.mayBeDamped(p) && !s.joint.on() && w.in(p) && time.Since(p.inSince) > 3*time.Second &&
		p.weight > 0 && p.order == "" && !w.faulty && !p.refused() && !p.unsure && !p.mayWait && !p.stolen && s.unseen != p && p.hand < 0 && !w.lost[p.place]
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

// dampedLast sees that flapdamping keeps no real server out that works while too few others are in service: none, or
// fewer than the quorum.
func (w *world) dampedLast(table []ipvs.Entry) {
	for _, e := range table {
		n := number(e.Service.Key)
		if n == 0 || !w.services[n].damp || !w.services[n].configured {
			continue
		}
		in := 0
		for _, d := range e.Destinations {
			if d.Weight > 0 && d.AddrPort != fallbackAt {
				in++
			}
		}
		s := w.services[n]
		up, all, sure := 0, 0, true // up is how many work that flapdamping may not keep out
		for _, p := range s.pairs[1:] {
			if !p.configured {
				continue
			}
			sure = sure && !p.unsure && !p.mayWait && !p.refused()
			if !w.isBackup(p) {
				all++
			}
			if !w.alone(p) || !w.sound(p) || p.full() == 0 || w.isBackup(p) {
				continue
			}
			up++
			if in == 0 && w.mayBeDamped(p) && !p.unsure && !p.mayWait && !p.refused() && s.joint.quorum == 0 {
				w.say("service %d: flapdamping keeps out %s, and no other is in service; %s", n, p.name(), w.words(s))
			}
		}
		quorum := min(s.joint.quorum, all)
		if sure && quorum > in && up >= min(s.joint.quorum+s.joint.hysteresis, all) {
			w.say("service %d: %d are in service, and flapdamping costs the quorum; %s", n, in, w.words(s))
		}
	}
}
