package chaos

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// kill ends the director without a word, as kill -9 does, and starts the next one after some time from what was kept.
func (s *stage) kill(after time.Duration, before func()) {
	s.note("killed, and started after %v", after)
	s.with(func() { s.epoch++ })
	s.end()
	s.sleep(after)
	s.with(before)
	s.start()
}

// killInOrder kills the director while an order is in force that has a time, and lets the time pass before or after
// the next start.
func (s *stage) killInOrder() {
	v, p := s.anyPair()
	if !v.configured || !p.configured {
		return
	}
	o := report.Order{Real: p.name(), Virtual: virtualName(p.service), By: "alice", For: 10 * time.Second, Weight: 1 + s.random.IntN(9)}
	if o.Verb = []string{report.Drain, report.Disable, report.Weight}[s.random.IntN(3)]; o.Verb != report.Weight {
		o.Weight = 0
	}
	s.note("order %s %s of %s, weight %d, for %v", o.Verb, o.Real, o.Virtual, o.Weight, o.For)
	s.with(func() { s.obey(p, o) })
	if _, _, err := s.d.Obey(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
	ends := time.Now().Add(o.For)
	s.sleep(time.Duration(s.random.IntN(4000)) * time.Millisecond)
	isOver := s.random.IntN(3) == 0
	after := time.Duration(s.random.IntN(4000)) * time.Millisecond
	if isOver {
		after = time.Until(ends) + time.Second
	}
	s.kill(after, func() {
		if isOver {
			p.own = ordering{}
			p.inForce()
		}
	})
	if isOver {
		return
	}
	s.doubting(time.Until(ends)-100*time.Millisecond, []*pair{p})
	s.with(func() { s.obey(p, report.Order{Verb: report.Enable, Real: o.Real}) })
}

// killInQuiescence kills the director while a dead real server has weight 0 for quiescenttime: it leaves the table
// when that is over, and not before.
func (s *stage) killInQuiescence() {
	v, p := s.anyPair()
	for range 8 {
		if v.expires && v.configured && p.configured {
			break
		}
		v, p = s.anyPair()
	}
	if !v.expires || !v.configured || !p.configured || v.shared || v.damp || v.minAlive > 0 || v.joint.on() || v.invalid || v.rise > 1 && v.fall > 1 || s.full || p.refused() {
		return
	}
	s.mend(v)
	s.sleep(20 * time.Second)
	carried := false
	s.with(func() {
		weight, held := s.table[p.key][p.at]
		carried = held && weight > 0 && s.in(p) && p.order == "" && !p.unsure
		for kind := range kinds {
			if p.finds(kind) {
				p.turn(kind)
			}
		}
	})
	died := time.Time{}
	for range 60 {
		s.sleep(250 * time.Millisecond)
		if s.with(func() { died = p.changed }); p.verdict == down {
			break
		}
	}
	if !carried || p.verdict != down || p.hand >= 0 || p.held || time.Since(died) > time.Second {
		return
	}
	s.note("10.1.0.%d of service %d is dead", p.host, p.service)
	present := func(want bool) {
		s.with(func() {
			if _, held := s.table[p.key][p.at]; held != want {
				s.say("%v after it died %s of service %d is in the table: %v; %s", time.Since(died), p.name(), p.service, held, s.words(v))
			}
		})
	}
	present(true)
	s.sleep(time.Duration(s.random.IntN(2500)) * time.Millisecond)
	s.kill(time.Duration(s.random.IntN(6000))*time.Millisecond, func() {})
	s.sleep(300 * time.Millisecond)
	if since := time.Since(died); since < quiescentTime-100*time.Millisecond {
		present(true)
		s.sleep(quiescentTime - 100*time.Millisecond - since)
		present(true)
	}
	s.sleep(1300 * time.Millisecond)
	present(false)
}
