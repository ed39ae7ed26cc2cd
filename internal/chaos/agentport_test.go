package chaos

import (
	"errors"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
)

// besideCheck is the kind of an agent beside the checks (agentport).
const besideCheck = kinds

// The words of an agent.
type word uint8

const (
	saysShare word = iota // the percentage that the real server says
	saysDown
	saysNothing
)

// An advisor is what the model knows of the agent beside the checks of a real server.
type advisor struct {
	word     word // what it says when it is asked
	byAdvice bool // share is of it
	isDown   bool // its last word
	asked    bool // since the start, or the reload that added it; also without an answer
	silent   bool // asked without an answer, and it has never answered
}

// advise hears an agent beside the checks, as docs/checks.md says: in maintenance, too.
func (w *world) advise(p *pair) {
	s := w.services[p.service]
	if !s.configured || !p.configured || !s.beside {
		return
	}
	p.asked = true
	source := p.source(besideCheck)
	switch source.word {
	case saysNothing:
		p.silent = p.silent || p.share == noShare && !p.isDown // its last word counts
	case saysDown:
		p.isDown = true
	case saysShare:
		before := p.part()
		p.isDown, p.share, p.most = false, source.says, source.limiting.says
		if !p.held {
			p.wishes.agent, p.wishes.left, p.wishes.leftWeighs = p.share == 0, false, false
		}
		w.wished(p, before)
	}
	if p.held {
		w.keep(s)
		return
	}
	w.decided(p)
	w.keep(s)
}

// decided follows what several checks say together.
func (w *world) decided(p *pair) {
	s := w.services[p.service]
	all := p.asked || !s.beside
	for _, q := range p.parts {
		all = all && q.heard
	}
	score := s.score(p, true)
	answered := !s.beside || p.asked // the first answer of an agent may be a weight, and so may an exit status
	for i, q := range p.parts {
		isAgent := s.agent && i == 0
		answered = answered && (q.heard || !s.manner(q.kind).weighs && !isAgent)
	}
	if !p.heard && (all || score == down || score == up && answered) {
		p.heard = true
		defer w.keep(s)
	}
	if to := s.score(p, false); to != unchecked && to != p.verdict {
		w.turned(p, to)
	}
}

// advice is the answer of an agent beside the checks.
func (p *pair) advice() engine.Result {
	switch p.word {
	case saysNothing:
		return engine.Result{Err: errors.New("connection refused"), Attempts: 1}
	case saysDown:
		return engine.Result{Err: errors.New("the agent says down"), Detail: "down 100%", Attempts: 1}
	}
	return engine.Result{Attempts: 1, Detail: p.line()}
}

// line is what an agent says that is up.
func (p *pair) line() string {
	return checker.AgentReply{Up: true, Weight: p.says, MaxConn: p.limiting.says}.String()
}
