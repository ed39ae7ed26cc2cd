package chaos

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
)

// An asked is the real servers of a check, of which the first one answers, and the kind of the check.
type asked struct {
	users []*pair
	kind  int
}

// question has host, whether it is the second one there, service and kind of an HTTP check; host, kind of agent
// and service of an agent; kind, service, host and whether it is the second one there of an external command.
var question = regexp.MustCompile(`10\.1\.0\.(\d):808(\d)/s(\d)(?:/(\d))?|10\.1\.0\.(\d):80([79])(\d)|/kind(\d)/s(?:\d) (?:10\.0\.0\.)?(\d) \d+ 10\.1\.0\.(\d) 808(\d)`)

func (s *stage) askedBy(c checker.Checker) asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, known := s.asked[c]; known {
		return a
	}
	m := question.FindStringSubmatch(c.String())
	number := func(groups ...int) int {
		for _, g := range groups {
			if n, err := strconv.Atoi(m[g]); err == nil {
				return n
			}
		}
		return 0
	}
	h, v := number(1, 5, 10), s.services[number(3, 7, 9)]
	if number(2, 11) == 1 {
		h = hosts
	}
	a := asked{kind: number(4, 8)}
	if m[6] == "7" {
		a.kind = besideCheck
	}
	a.users = []*pair{v.pairs[h]}
	for _, o := range s.services[1:] {
		for _, p := range o.pairs[1:] {
			if p != a.users[0] && p.source(a.kind) == a.users[0] {
				a.users = append(a.users, p)
			}
		}
	}
	s.asked[c] = a
	return a
}

// source is the real server whose answer p gets: another one has the same check, or is it.
func (p *pair) source(kind int) *pair {
	switch {
	case kind == ownCheck && p.as != nil:
		return p.as
	case kind == besideCheck && p.asBeside != nil:
		return p.asBeside
	}
	return p
}

// share finds out which real servers have the same check: those with one address and one agent, and those of
// two virtual services with the same settings.
func (w *world) shareChecks() {
	last := w.services[services]
	for _, p := range last.pairs[1:] {
		p.as, p.asBeside = nil, nil
	}
	if last.shared && last.agent {
		last.pairs[hosts].as = last.pairs[hosts-1]
	}
	if last.shared && last.beside {
		last.pairs[hosts].asBeside = last.pairs[hosts-1]
	}
	if !w.twins {
		return
	}
	a, b := w.services[1], w.services[2]
	b.agent, b.drains, b.weighs, b.beside, b.slowLimit = a.agent, a.drains, a.weighs, a.beside, a.slowLimit
	for h := 1; h <= hosts; h++ {
		if b.pairs[h].as, b.pairs[h].asBeside = nil, a.pairs[h]; !b.weighs { // a command gets the virtual service
			b.pairs[h].as = a.pairs[h]
		}
		if b.agent {
			b.several.inPlace[h] = ownCheck
		}
	}
}

// checksOf is the number of the service in the checks of service n.
func (w *world) checksOf(n int) int {
	if w.twins && n == 2 {
		return 1
	}
	return n
}

// ask answers for the real servers of a check.
func (s *stage) ask(ctx context.Context, c checker.Checker, attempts int) engine.Result {
	a := s.askedBy(c)
	p, kind := a.users[0], a.kind
	s.await(answered + time.Duration((kind*(services+1)+p.service)*hosts+p.host)*time.Microsecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local {
		return engine.Result{Err: syscall.EMFILE, Attempts: 1, Local: true}
	}
	s.atOnce(func() {
		for _, user := range a.users {
			switch {
			case ctx.Err() != nil:
			case kind == besideCheck:
				s.advise(user)
			default:
				s.hear(user, kind, user.finds(kind))
			}
		}
	})
	if kind == besideCheck {
		return p.advice()
	}
	v, well := s.services[p.service], p.finds(kind)
	late := !well && kind == ownCheck && v.slowLimit
	if !well && !late {
		return engine.Result{Err: errors.New("connection refused"), Attempts: attempts}
	}
	res := v.result(p, kind)
	if late {
		res.Last = 2 * slowLimit
	}
	return res
}
