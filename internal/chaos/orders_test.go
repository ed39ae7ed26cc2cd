package chaos

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// order is an operator's.
func (s *stage) order() {
	v, p := s.anyPair()
	if !v.configured || !p.configured {
		return
	}
	o := report.Order{Real: p.name(), Virtual: virtualName(p.service), By: "alice"}
	meant := []*pair{p}
	if v.isNamed(p) && s.random.IntN(2) == 0 {
		o.Real, meant = v.hostName(p), slices.DeleteFunc(slices.Clone(v.named()), func(p *pair) bool { return !p.configured })
	}
	o.Verb = []string{report.Drain, report.Disable, report.Weight, report.Enable, report.Enable}[s.random.IntN(5)]
	if o.Verb == report.Weight {
		if o.Weight = 1 + s.random.IntN(9); s.random.IntN(4) == 0 {
			o.Weight, o.Percent = 0, 10*o.Weight
		}
	}
	brief := o.Verb != report.Enable && s.random.IntN(3) == 0
	if brief {
		o.For = 3 * time.Second
	}
	s.note("order %s %s of %s, weight %d, for %v", o.Verb, o.Real, o.Virtual, o.Weight, o.For)
	s.with(func() {
		for _, p := range meant {
			if o.Verb == report.Enable {
				s.endWait(p)
			}
			s.obey(p, o)
		}
	})
	if _, _, err := s.d.Obey(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
	if !brief {
		return
	}
	s.doubting(o.For-100*time.Millisecond, meant)
	s.with(func() {
		for _, p := range meant {
			s.obey(p, report.Order{Verb: report.Enable, Real: o.Real})
		}
	})
}

// doubting has the model know nothing of real servers while an order ends by itself, after some time.
func (s *stage) doubting(after time.Duration, meant []*pair) {
	s.sleep(after)
	var wasUnsure [services + 1][hosts + 1]bool
	endDoubt := map[int]func(){}
	s.with(func() { // it ends within a second
		for _, p := range meant {
			wasUnsure[p.service][p.host] = p.unsure
		}
		for _, p := range meant {
			if endDoubt[p.service] == nil {
				endDoubt[p.service] = s.services[p.service].doubtKept()
			}
		}
		for _, p := range meant {
			p.unsure = true
		}
	})
	s.sleep(1500 * time.Millisecond)
	s.with(func() {
		for _, p := range meant {
			p.unsure = wasUnsure[p.service][p.host]
		}
		for _, end := range endDoubt {
			end()
		}
	})
}

// obey has the model follow an order.
func (s *stage) obey(p *pair, o report.Order) {
	v := s.services[p.service]
	byName := v.isNamed(p) && o.Real == v.hostName(p)
	if v.configured && v.isNamed(p) && p.configured && !byName { // it ends the order for the name
		for _, o := range v.named() {
			if o.own.host == v.hostName(p) {
				o.own.host = ""
			}
			o.inForce()
		}
	}
	p.own = ordering{order: o.Verb, weigh: o.Weight, percent: o.Percent}
	if byName {
		p.own.host = v.hostName(p)
	}
	if o.Verb == report.Enable {
		p.own = ordering{}
	}
	p.inForce()
	p.ordered()
	p.hand, p.absent = -1, false
	s.keep(v)
}

// settledKnown compares the orders that are in force, and who waits, with the model.
func (s *stage) settledKnown() {
	orders, waits := map[report.Target]string{}, map[report.Target]bool{}
	for _, o := range s.d.Overrides() {
		orders[o.Target()] = o.Verb
	}
	for _, g := range s.d.Gone() {
		waits[report.Target{Virtual: g.Virtual, Real: g.Real}] = !g.Waits.IsZero()
	}
	for n, v := range s.services[1:] {
		for _, p := range v.pairs[1:] {
			t := report.Target{Virtual: "tcp:" + virtualName(n+1), Real: p.name()}
			if n+1 == 2 {
				t.Virtual = "fwm:2"
			}
			if orders[t] != p.own.order {
				s.say("%s of %s: the order in force is %q, want %q", t.Real, t.Virtual, orders[t], p.own.order)
			}
			if waits[t] != p.waits && !p.mayWait {
				s.say("%s of %s waits: %v, want %v", t.Real, t.Virtual, waits[t], p.waits)
			}
		}
	}
}
