package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// keep decides about the real servers of a service after a change.
func (w *world) keep(s *service) {
	if w.waiting != nil {
		w.waiting[s] = true
		return
	}
	var wasIn [hosts + 1]bool
	for _, p := range s.pairs[1:] {
		wasIn[p.host] = w.in(p)
	}
	before := s.joint
	w.decide(s)
	for _, p := range s.pairs[1:] {
		if before != s.joint && w.in(p) != wasIn[p.host] && !w.inBeside(p) {
			p.hand = -1
		}
	}
	w.keepAlive(s)
	w.leave(s)
	for _, p := range s.pairs[1:] {
		if isIn := w.in(p); isIn != p.isIn {
			p.isIn, p.inSince = isIn, time.Now()
		}
	}
}

// atOnce has a func be one change for all decisions.
func (w *world) atOnce(f func()) {
	w.waiting = map[*service]bool{}
	f()
	waiting := w.waiting
	w.waiting = nil
	for _, s := range w.services[1:] {
		if waiting[s] {
			w.keep(s)
		}
	}
}

// keepAlive chooses whom minalive holds in service: of those that checks alone would take
// out, the ones that failed last, as many as are missing.
func (w *world) keepAlive(s *service) {
	short, all := s.minAlive, 0
	if s.lost() {
		short = 0
	}
	var candidates []*pair
	for _, p := range s.pairs[1:] {
		if !p.configured || !s.configured {
			p.kept, p.leaves = false, false
			continue
		}
		if w.isBackup(p) {
			if p.leaves, p.kept = false, false; s.joint.needed == yes && p.verdict == up && w.alone(p) {
				short--
			}
			continue
		}
		all++
		leaves := p.leaves
		p.leaves = false
		switch {
		case p.held || p.verdict == unchecked || p.waits:
			p.kept = false
		case p.verdict == up:
			if p.kept = false; p.part() != 0 {
				short--
			}
		case p.order == "drain" || p.order == "disable":
			p.kept = false
		case p.kept || leaves:
			candidates = append(candidates, p)
		}
	}
	short -= max(0, s.minAlive-all)
	slices.SortStableFunc(candidates, func(a, b *pair) int { return cmp.Compare(b.changed.UnixNano(), a.changed.UnixNano()) })
	for i, p := range candidates {
		p.kept = i < short
	}
}

// doubtKept makes a service with minalive unsure: whether a real server that fails is
// in service depends on whether driftcheck has seen what somebody has changed. The
// func that it returns ends that for those that were up all the time, and for all if
// none has failed or come back.
func (s *service) doubtKept() (end func()) {
	if s.minAlive == 0 {
		return func() {}
	}
	now := time.Now()
	var before [hosts + 1]bool
	for _, p := range s.pairs[1:] {
		before[p.host] = p.unsure
	}
	for _, p := range s.pairs[1:] {
		p.unsure = true
	}
	return func() {
		turned := func(p *pair) bool { return p.changed.After(now) }
		doubt := slices.ContainsFunc(s.pairs[1:], turned)
		for _, p := range s.pairs[1:] {
			p.unsure = before[p.host]
		}
		for _, p := range s.pairs[1:] {
			p.unsure = p.unsure || doubt && (p.verdict != up || turned(p))
		}
	}
}

// join makes one entry of the last two real servers of a service: gate gives both
// the port of the service.
func (s *service) join() {
	s.shared = true
	for _, p := range s.pairs[1:] {
		p.at = netip.AddrPortFrom(addrOf(p.host).Addr(), 80)
	}
	s.pairs[hosts].entry = s.pairs[hosts-1].entry
}

// flapOneEntry has one of two real servers that are one entry go down and come back while the other one is well.
func (s *stage) flapOneEntry() {
	v := s.services[services]
	first, second := v.pairs[hosts-1], v.pairs[hosts]
	if !v.shared || !v.configured || !first.configured || !second.configured {
		return
	}
	if s.random.IntN(2) == 0 {
		first, second = second, first
	}
	s.note("%s of service %d flaps beside %s", first.name(), services, second.name())
	set := func(p *pair, works bool) {
		s.with(func() {
			for kind := range kinds {
				if p.finds(kind) != works {
					p.turn(kind)
				}
			}
		})
	}
	set(second, true)
	s.sleep(time.Duration(s.random.IntN(20000)) * time.Millisecond)
	set(first, false)
	s.sleep(8 * time.Second)
	set(first, true)
	s.sleep(time.Duration(s.random.IntN(10000)) * time.Millisecond)
}

// ordersWeight says whether an order gives a weight to one of the real servers with the
// entry of p.
func (s *service) ordersWeight(p *pair) bool {
	return slices.ContainsFunc(s.pairs[1:], func(o *pair) bool { return o.at == p.at && o.order == "weight" })
}

// machine is the number of the host that the real server is on.
func (p *pair) machine() int { return int(p.at.Addr().As4()[3]) }

// name is how the file has the real server.
func (p *pair) name() string {
	if p.machine() != p.host { // the second one of this host
		return fmt.Sprintf("%s:8081", p.at.Addr())
	}
	return addrOf(p.host).String()
}

// pairAt is the real server that an entry of the kernel is for: of several, none of which
// has the port of the entry, the first in service, else the first in the file; nil
// is none.
func (w *world) pairAt(s *service, at netip.AddrPort) *pair {
	var found *pair
	for _, p := range s.pairs[1:] {
		switch {
		case p.at != at:
		case found == nil || !found.configured:
			found = p
		case p.configured && w.in(p) && !w.in(found):
			found = p
		}
	}
	return found
}

// shakeShared changes what the file says of minalive.
func (s *service) shakeShared(random *rand.Rand) {
	if s.minAlive = 0; random.IntN(3) == 0 {
		s.minAlive = 1 + random.IntN(2)
	}
}

// alike gives two real servers that are one entry the same thresholds and weight.
func (s *service) alike() {
	if s.shared {
		s.pairs[hosts].bad, s.pairs[hosts].weight = s.pairs[hosts-1].bad, s.pairs[hosts-1].weight
		s.pairs[hosts].limiting.file = s.pairs[hosts-1].limiting.file
	}
}
