package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// A naming is whether one line of the file has the last two real servers of a service by their name (resolve):
// the one that is the answer of the resolver, or with resolveall those that are.
type naming struct {
	on, all bool
	srv     bool // SRV records, of all
	more    bool // the answer has an address more than the one that is in force
	fails   int  // the resolver fails, in this way; 0 is that it answers
}

// named are the addresses of the name of a service, none if it has no name.
func (s *service) named() []*pair {
	if !s.naming.on {
		return nil
	}
	return s.pairs[hosts-1:]
}

// isNamed says whether a line of the file has the real server by its name.
func (s *service) isNamed(p *pair) bool { return s.naming.on && p.host >= hosts-1 }

// hostName is the name by which the file has the real server.
func (s *service) hostName(p *pair) string {
	if s.naming.srv {
		return fmt.Sprintf("_http._tcp.web%d", p.service)
	}
	return fmt.Sprintf("web%d", p.service)
}

// shakeNamed changes whether the file has a name. Its addresses have the settings of one line.
func (s *service) shakeNamed(random *rand.Rand) {
	s.naming = naming{on: !s.shared && random.IntN(3) == 0}
	s.naming.all = s.naming.on && random.IntN(2) == 0
	s.naming.srv = s.naming.all && random.IntN(2) == 0
	if s.naming.on {
		s.answer(random)
	}
}

// answer changes the answer of the resolver: a name without an answer is not in the file.
func (s *service) answer(random *rand.Rand) {
	a, b := s.pairs[hosts-1], s.pairs[hosts]
	for was := [2]bool{a.configured, b.configured}; was == [2]bool{a.configured, b.configured}; {
		a.configured = random.IntN(2) == 0
		if b.configured = !a.configured; s.naming.all && a.configured {
			b.configured = random.IntN(2) == 0
		}
	}
}

// oneLine gives the addresses of a name the settings of its line.
func (s *service) oneLine() {
	if !s.naming.on {
		return
	}
	a, b := s.pairs[hosts-1], s.pairs[hosts]
	b.limiting.file = a.limiting.file
	if s.naming.srv {
		a.weight, b.weight = max(1, a.weight), max(1, b.weight) // those of the records
	} else {
		b.weight = a.weight
	}
	b.bad, s.several.inPlace[hosts], s.joint.backup = a.bad, s.several.inPlace[hosts-1], false
}

// lookup is the resolver.
func (w *world) lookup(name string) ([]conf.Found, error) {
	var found []conf.Found
	for _, s := range w.services[1:] {
		for _, p := range s.named() {
			switch {
			case s.hostName(p) != name:
			case s.naming.fails == 1:
				return nil, errors.New("the resolver does not answer")
			case s.naming.fails == 2:
				return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			case s.naming.fails == 3:
				return nil, nil
			case s.naming.srv && p.configured:
				found = append(found, conf.Found{Addr: p.at.Addr(), Port: 8080, Weight: p.weight})
			case p.configured || s.naming.more:
				found = append(found, conf.Found{Addr: p.at.Addr()})
			}
		}
	}
	return found, nil
}

// resolverFails has the same file loaded, or the names looked up again, while the resolver fails for a name, or has
// another address for it besides the one in force: nothing changes.
func (s *stage) resolverFails() {
	v := s.services[1+s.random.IntN(services)]
	idle := false
	s.with(func() {
		named := v.named()
		idle = !v.configured || len(named) == 0 || !named[0].configured && !named[1].configured
	})
	if idle {
		return
	}
	s.with(func() {
		if v.naming.fails = s.random.IntN(4); v.naming.fails == 0 {
			v.naming.more = !v.naming.all
		}
		s.note("the resolver fails for %s: %d, or has more: %v", v.hostName(v.pairs[hosts]), v.naming.fails, v.naming.more)
	})
	for range 1 + s.random.IntN(3) {
		if s.random.IntN(2) == 0 {
			s.reloadSame()
		} else {
			cfg, err := s.whole.Readdressed(s.parse())
			if err != nil {
				s.t.Fatal(err)
			}
			if cfg != s.whole {
				s.with(func() { s.say("%s is at other addresses now, although the resolver fails", v.hostName(v.pairs[hosts])) })
			}
		}
		s.sleep(time.Duration(s.random.IntN(2000)) * time.Millisecond)
	}
	s.with(func() { v.naming.fails, v.naming.more = 0, false })
}

// followName has the order for a name hold for the addresses that the name has now, as docs/checks.md says.
func (s *service) followName() {
	var of *pair
	for _, p := range s.named() {
		if p.own.order != "" && p.own.host == s.hostName(p) {
			of = p
		}
	}
	if of == nil || !s.configured {
		return
	}
	order := of.own
	for _, p := range s.named() {
		if p.configured && p.own.order == "" {
			p.own = order
			p.inForce()
		}
	}
	for _, p := range s.named() {
		if !p.configured && p.own.host == s.hostName(p) {
			p.own = ordering{}
			p.inForce()
		}
	}
}

// followWait has a wait follow a name to another address.
func (s *service) followWait() {
	named := s.named()
	if !s.configured || !s.byHand && !s.expires || len(named) == 0 || s.naming.all {
		return
	}
	from, to := named[0], named[1]
	if from.configured {
		from, to = to, from
	}
	if from.configured || !to.configured || to.heard || to.waits || !from.waitsByName {
		return
	}
	if to.mayWait { // then the wait of its own counts, and the other one's stays
		if from.waits {
			to.waits, to.mayWait = true, false
		}
		from.mayWait = from.waits || from.mayWait
		from.waits = false
		return
	}
	if to.held { // whether it has been checked in maintenance is not known
		to.mayWait = from.waits || from.mayWait
		from.mayWait = to.mayWait
		from.waits = false
		return
	}
	to.waits, to.mayWait = from.waits, from.mayWait
	from.waits, from.mayWait = false, false
}

// readdress has the resolver answer otherwise: a reload of the real servers of one name alone.
func (s *stage) readdress() {
	n := 1 + s.random.IntN(services)
	v := s.services[n]
	if named := v.named(); !v.configured || len(named) == 0 || !named[0].configured && !named[1].configured {
		return
	}
	s.with(func() {
		if s.loading, s.only = true, n; s.files[v.hostName(v.pairs[hosts])] != nil || s.files[v.hostName(v.pairs[hosts])+":8080"] != nil {
			s.only = 0 // real servers of others have the address, too
		}
		for i := range s.old {
			s.old[i] = i > 0 && s.services[i].configured
		}
		if v.answer(s.random); v.naming.srv {
			v.pairs[hosts].weight = 1 + s.random.IntN(5)
			v.pairs[hosts-1].weight = 1 + s.random.IntN(5)
		}
		s.takeOrders()
		for _, o := range s.services[1:] {
			s.keep(o)
		}
		s.beginService(n, false)
		s.note("%s is at other addresses now: %s", v.hostName(v.pairs[hosts]), s.words(v))
	})
	cfg, err := s.whole.Readdressed(s.parse())
	if err != nil {
		s.t.Fatal(err)
	}
	s.putInForce(cfg)
	s.with(func() { s.only = 0 })
}
