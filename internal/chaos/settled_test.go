package chaos

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/ipvs"
)

// settled compares the table with what the documents want, when everything has
// had its time.
func (w *world) settled(table []ipvs.Entry) {
	found := map[ipvs.Key]ipvs.Entry{}
	for _, e := range table {
		found[e.Service.Key] = e
	}
	for n, s := range w.services {
		if n == 0 {
			continue
		}
		e, present := found[keyOf(n)]
		switch {
		case !s.configured && present:
			w.say("service %d is in the table and not in the file", n)
		case s.configured && !present && !s.invalid:
			w.say("service %d is not in the table", n)
		case s.configured && present:
			w.settledService(n, s, e)
			w.settledLimits(n, s, e)
		}
	}
}

func (w *world) settledService(n int, s *service, e ipvs.Entry) {
	if !s.invalid && e.Service.Scheduler != s.scheduler {
		w.say("service %d: scheduler %s, want %s", n, e.Service.Scheduler, s.scheduler)
	}
	got := weights(e)
	w.resolve(s, got)
	w.resolveJoint(s, got)
	for _, p := range s.pairs[1:] {
		w.noteIn(p)
	}
	want := maps.Clone(s.foreign)
	served, refused, alone := false, false, true
	for _, p := range s.pairs[1:] {
		at := p.at
		if !p.configured || w.pairAt(s, at) != p {
			continue
		}
		weight, held := got[at]
		switch {
		case w.in(p) && p.refused(): // it stays as it is
			if held {
				want[at] = weight
			}
			served = served || weight > 0
			refused, alone = true, alone && weight == 0
		case w.in(p) && held && (p.part() == noShare || p.kept && s.slow && weight <= p.full()): // it does not climb while it is down
			want[at] = weight
			served, alone = served || weight > 0 || p.full() == 0, alone && weight == 0
		case (p.kept || p.verdict == up && !p.held && !p.waits && p.order != "disable") && p.part() == noShare && held && weight == 0: // as it was found
			want[at] = 0
		case w.in(p):
			want[at], served = p.full(), true
			alone = alone && p.full() == 0
		case held && p.refused() && weight == 0 && s.mayWait(p):
			want[at] = 0
		case p.refused():
		case s.expires && !held && (p.verdict != up || p.waits || s.shared || s.damp && p.held): // it was down for quiescenttime; with a maintenance and a restart since then it is unchecked
		case s.expires && (p.verdict == down || p.waits) && !p.held && !s.shared && !p.unsure:
			// absent: it was down for that time, at the latest since all came to rest
		case s.mayWait(p) && !held && p.gone: // the director takes it for the deletion of somebody else
		case s.mayWait(p) && !p.absent:
			want[at] = 0
		}
	}
	_, there := got[fallbackAt]
	if s.fallback && (!served || s.lost() || refused && alone && there) { // it waits for a refused one
		want[fallbackAt] = 1
	}
	if refused && !serves(want) { // the last one in waits for a refused one
		for at, weight := range got {
			if _, known := want[at]; !known && weight > 0 && !serves(want) {
				want[at] = weight
			}
		}
	}
	if !maps.Equal(want, got) {
		w.say("service %d when all is settled: %s, want %s; %s", n, words(got), words(want), w.words(s))
	}
}

// resolve ends the unsure states: the results of checks are in force by now, and got,
// the table of the kernel, shows the rest.
func (w *world) resolve(s *service, got map[netip.AddrPort]int) {
	for _, p := range s.pairs[1:] {
		if p.configured && p.unsure && !p.held {
			p.verdict, p.fails, p.goods, p.hand = down, 0, 0, -1
			if w.sound(p) {
				p.verdict = up
			}
			s.settleParts(p)
		}
	}
	var open [hosts + 1]bool // whether it is kept with weight 0 does not show
	for _, p := range s.pairs[1:] {
		if !p.configured || !p.unsure || p.held {
			continue
		}
		weight, held := got[p.at]
		if p.kept = false; p.part() == 0 && p.verdict == down && s.minAlive > 0 { // it has weight 0, whether it is kept or not
			stays := s.mayWait(p)
			p.kept, open[p.host] = held && !stays, held && stays
			continue
		}
		_, alone := got[fallbackAt]
		p.kept = p.verdict == down && s.minAlive > 0 && held && (weight > 0 || !s.mayWait(p) || (p.full() == 0 || p.zeroed) && s.fallback && !alone)
		if open[p.host] = p.kept && weight == 0 && s.mayWait(p) && w.servesBeside(s, p, got); open[p.host] {
			p.kept = false
		}
		if !s.fallback && p.verdict == down && s.minAlive > 0 && held && weight == 0 && s.mayWait(p) && (p.full() == 0 || p.zeroed) {
			open[p.host] = true // no fallback shows it
		}
		if p.kept && s.shared && slices.ContainsFunc(s.pairs[1:], func(o *pair) bool { return o != p && o.at == p.at && o.configured && o.verdict == down }) {
			open[p.host] = true // which of the two is kept does not show
		}
		if p.kept { // somebody may have set it before it was
			p.hand = weight
		}
	}
	for _, p := range s.pairs[1:] {
		p.zeroed = false
		if !p.configured || !p.unsure || open[p.host] {
			continue
		}
		p = w.pairAt(s, p.at)
		weight, held := got[p.at]
		p.absent, p.unsure = !held, false
		if held && w.in(p) && (p.weight == 0 || s.minAlive > 0 || s.shared && s.ordersWeight(p)) {
			p.hand = weight
		}
	}
}

// servesBeside says whether another real server than p is in service in got, so that no
// fallback is there whatever p is.
func (w *world) servesBeside(s *service, p *pair, got map[netip.AddrPort]int) bool {
	return slices.ContainsFunc(s.pairs[1:], func(o *pair) bool {
		weight, held := got[o.at]
		return o != p && held && w.in(o) && (weight > 0 || o.full() == 0)
	})
}

// mayWait says whether an entry may stay with weight 0, for one of its real servers.
func (s *service) mayWait(p *pair) bool {
	return s.quiescent || slices.ContainsFunc(s.pairs[1:], func(o *pair) bool {
		if o.at != p.at || !o.configured || o.held {
			return false
		}
		return o.order == "drain" && o.verdict != down || o.part() == 0 && (o.verdict == up || o.kept) && !o.waits && o.order != "disable"
	})
}

// weights are the weights of the destinations of a service.
func weights(e ipvs.Entry) map[netip.AddrPort]int {
	list := map[netip.AddrPort]int{}
	for _, d := range e.Destinations {
		list[d.AddrPort] = d.Weight
	}
	return list
}

func serves(list map[netip.AddrPort]int) bool {
	for _, weight := range list {
		if weight > 0 {
			return true
		}
	}
	return false
}

func words(list map[netip.AddrPort]int) string {
	var b []string
	for _, at := range slices.SortedFunc(maps.Keys(list), netip.AddrPort.Compare) {
		b = append(b, fmt.Sprintf("%s=%d", at, list[at]))
	}
	return "[" + strings.Join(b, " ") + "]"
}

func (w *world) words(s *service) string {
	var text strings.Builder
	fmt.Fprintf(&text, "together %+v, shared %v, minalive %d, quiescent %v, quiescenttime %v, fallback %v, invalid %v, slowstart %v, flapdamping %v, byhand %v, cleanstop %v, command %v, agent %v, httpdrain %v, externalweight %v, agentport %v, checks %+v", s.joint, s.shared, s.minAlive, s.quiescent, s.expires, s.fallback, s.invalid, s.slow, s.damp, s.byHand, s.cleanStop, s.command, s.agent, s.drains, s.weighs, s.beside, s.several)
	for _, p := range s.pairs[1:] {
		if p.configured {
			fmt.Fprintf(&text, "; %d: works %v, verdict %d, order %q, weight %d, hand %d, refused %v, absent %v, maintenance %v, kept %v, wait %+v, share %d, status %+v, agent %+v, broken %v, checks %+v",
				p.host, p.works, p.verdict, p.order, p.weight, p.hand, p.refused(), p.absent, p.held, p.kept, p.wait, p.share, p.wishes, p.advisor, p.broken, p.parts)
		}
	}
	return text.String()
}
