package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ldirectord/ldirectord/internal/engine"
)

// A manner is what the answers of a check mean besides up and down. A check of another manner is another check.
type manner struct {
	drains bool // httpdrain
	weighs bool // externalweight
	limit  bool // slowlimit, of one that does either
}

// manner is that of a kind of check in the file.
func (s *service) manner(kind int) manner {
	if kind == ownCheck {
		return manner{s.drains, s.weighs, (s.drains || s.weighs) && s.slowLimit}
	}
	return s.several.manners[kind]
}

func anyManner(random *rand.Rand) manner {
	return []manner{{}, {}, {}, {drains: true}, {weighs: true}}[random.IntN(5)]
}

// A wish is what the model knows of the answers of one check of a real server.
type wish struct {
	manner
	drains bool // the last good answer wants no new connections
	known  bool // it has answered
	asks   int  // the weight of its last answer, -1 is that of the file
}

// The wishes are what the checks of a real server want.
type wishes struct {
	exits [kinds]int // the exit statuses of those that find nothing wrong; 2 is an answer that drains
	of    [kinds]wish
	agent bool // the last word of its agent wants no new connections

	left, leftWeighs bool // a check that the file does not have any more wanted none, and no other one has answered since
}

// exits are exit statuses: the weights of the file, 0, 0, 1, 3 and 7.
var exits = []int{0, 2, 2, 3, 5, 9}

func (p *pair) shakeExits(random *rand.Rand) {
	for kind := range p.wishes.exits {
		p.wishes.exits[kind] = exits[random.IntN(len(exits))]
	}
}

// wish hears what a good answer wants.
func (w *world) wish(p *pair, kind int) {
	s := w.services[p.service]
	k, source := &p.wishes.of[kind], p.source(kind)
	exits := source.wishes.exits[kind]
	k.manner = s.manner(kind)
	if k.weighs { // in maintenance, too
		k.known, k.asks = true, -1
		if exits > 1 {
			k.asks = exits - 2
		}
	}
	if p.held {
		return
	}
	p.wishes.left, p.wishes.leftWeighs = false, false
	k.drains = exits == 2 && (k.manner.drains || k.weighs && p.order != "weight")
	if kind == ownCheck && s.agent {
		p.share, p.most = source.says, source.limiting.says
		p.wishes.agent = p.share == 0
	}
}

// wished follows a change of what the checks want, before which the part was another one.
func (w *world) wished(p *pair, before int) {
	after := p.part()
	if before == 0 && after != 0 {
		w.undrained(p)
	}
	if (before == 0) != (after == 0) || before == noShare {
		w.keep(w.services[p.service])
	}
}

// uses says whether a kind of check is one of the real server.
func (s *service) uses(p *pair, kind int) bool {
	list := s.kindsOf(p)
	return list == nil && kind == ownCheck || slices.Contains(list, kind)
}

// loadWishes drops what is known of checks that a load has taken away.
func (s *service) loadWishes(p *pair) {
	here := s.configured && p.configured
	left := func(weighs bool) {
		if here && s.mayDrain() {
			p.wishes.leftWeighs = weighs && (p.wishes.leftWeighs || !p.wishes.left)
			p.wishes.left = true
		}
	}
	if !here || !s.mayDrain() {
		p.wishes.left, p.wishes.leftWeighs = false, false
	}
	for kind := range p.wishes.of {
		k := &p.wishes.of[kind]
		if here && s.uses(p, kind) && k.manner == s.manner(kind) {
			continue
		}
		if k.drains {
			left(k.weighs)
		}
		*k = wish{asks: -1}
		if here && s.uses(p, kind) {
			k.manner = s.manner(kind)
		}
	}
	if !here || p.byAgent != s.agent || p.byAdvice != s.beside {
		if p.wishes.agent {
			left(false)
		}
		p.forgetShare(s)
	}
}

// mayDrain says whether answers to the checks of a service may want no new connections.
func (s *service) mayDrain() bool {
	if s.answers() || s.drains || s.weighs {
		return true
	}
	for _, p := range s.pairs[1:] {
		for kind := range kinds {
			if m := s.manner(kind); p.configured && s.uses(p, kind) && (m.drains || m.weighs) {
				return true
			}
		}
	}
	for _, kind := range s.several.also {
		if m := s.manner(kind); m.drains || m.weighs {
			return true
		}
	}
	return false
}

// unknown says whether an answer that decides about the weight was not there yet: of an agent, of an external check.
func (p *pair) unknown() (agent, external bool) {
	for kind := range p.wishes.of {
		if k := p.wishes.of[kind]; k.weighs && !k.known {
			external = true
		}
	}
	return p.share == noShare, external
}

// awaits says whether the first answer may still decide about the weight: a check that is down is not waited for. An
// order for the weight wins over an exit status.
func (p *pair) awaits() bool {
	agent, external := p.unknown()
	return agent && !p.agentSilent() || external && p.order != "weight" && !p.muted()
}

// agentSilent says whether the agent that has not answered yet was asked.
func (p *pair) agentSilent() bool {
	switch {
	case p.byAdvice:
		return p.silent
	case p.parts != nil:
		return p.parts[0].verdict == down
	}
	return p.verdict == down
}

// muted says whether the external checks are down that have not answered yet.
func (p *pair) muted() bool {
	for kind := range p.wishes.of {
		k := p.wishes.of[kind]
		if !k.weighs || k.known {
			continue
		}
		verdict := p.verdict
		for _, q := range p.parts {
			if q.kind == kind { // of several uses of one check the first
				verdict = q.verdict
				break
			}
		}
		if verdict != down {
			return false
		}
	}
	return true
}

// asks is the least weight that external checks ask for, -1 is that of the file.
func (p *pair) asks() int {
	least := -1
	for kind := range p.wishes.of {
		if k := p.wishes.of[kind]; k.weighs && k.known && k.asks >= 0 && (least < 0 || k.asks < least) {
			least = k.asks
		}
	}
	return least
}

// part is the known part of its weight that the real server wants, in percent: an order for the weight wins over an
// exit status.
func (p *pair) part() int {
	weighed := p.order == "weight"
	switch {
	case p.share == 0 || p.drained() || p.asks() == 0 && !weighed:
		return 0
	case p.awaits():
		return noShare
	case p.share == noShare:
		return 100
	}
	return p.share
}

// drained says whether answers want no new connections, besides those that are a weight.
func (p *pair) drained() bool {
	weighed := p.order == "weight"
	if p.wishes.left && (p.verdict == up || p.kept) && (!p.wishes.leftWeighs || !weighed) {
		return true
	}
	for kind := range p.wishes.of {
		if k := p.wishes.of[kind]; k.drains && (!k.weighs || !weighed) {
			return true
		}
	}
	return false
}

// ordered follows an order: one for the weight wins over exit statuses, and ends what they have drained.
func (p *pair) ordered() {
	drains := false
	for kind := range p.wishes.of {
		k := &p.wishes.of[kind]
		drains = drains || k.drains && !k.weighs
		if p.order != "weight" && p.verdict == up && !p.held && k.weighs && k.known && k.asks == 0 {
			k.drains = true
		}
	}
	if p.order != "weight" || drains || p.wishes.left && !p.wishes.leftWeighs {
		return
	}
	p.wishes.left, p.wishes.leftWeighs = false, false
	for kind := range p.wishes.of {
		p.wishes.of[kind].drains = false
	}
}

// result is the result of a good answer.
func (s *service) result(p *pair, kind int) engine.Result {
	exits := p.wishes.exits[kind]
	m := s.manner(kind)
	switch {
	case kind == ownCheck && s.agent:
		return engine.Result{Attempts: 1, Detail: p.line()}
	case m.drains && exits == 2:
		return engine.Result{Attempts: 1, Detail: "404 Not Found", Drains: true}
	case m.weighs && exits >= 2:
		weight := exits - 2
		return engine.Result{Attempts: 1, Weighs: true, Weight: weight, Drains: weight == 0, Detail: fmt.Sprintf("exit status %d, weight %d", exits, weight)}
	}
	return engine.Result{Attempts: 1, Detail: "200 OK"}
}
