package chaos

import "net/netip"

// noShare is that of an agent that has not answered yet: the weight that the table
// has stays.
const noShare = -1

// forgetShare makes nothing known of the agent of a real server, which may have none.
func (p *pair) forgetShare(s *service) {
	p.most = 0
	p.byAgent, p.wishes.agent = s.agent, false
	p.advisor = advisor{word: p.word, byAdvice: s.beside}
	if p.share = 100; s.answers() {
		p.share = noShare
	}
}

// serves says whether the table has a real server in service.
func (w *world) serves(p *pair) bool {
	weight, held := w.table[p.key][p.at]
	return w.in(p) && held && (weight > 0 || p.full() == 0)
}

// keepForeign is what becomes of the destinations that are not in the file at a
// start or reload: they leave, but for those that a fallback command has put there
// while it is in charge, which is while no real server is in service (served). A start takes
// all for these.
func (w *world) keepForeign(n int, s *service, start, served bool) {
	before := s.foreign
	s.foreign = map[netip.AddrPort]int{}
	if !s.command || !s.configured || served {
		return
	}
	for at, weight := range w.table[keyOf(n)] {
		p := w.pairAt(s, at)
		if _, was := before[at]; (was || start) && (p == nil || !p.configured) && (at != fallbackAt || !s.fallback) {
			s.foreign[at] = weight
		}
	}
}
