package chaos

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/ipvs"
)

// note adds an event to the log and to the history of the run.
func (s *stage) note(format string, args ...any) {
	s.record("# "+format, args...)
	s.history = append(s.history, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// with changes the model.
func (s *stage) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// sleep lets time pass. What an event has read before, without the lock, as nothing else runs between
// two moments, is read before anything that the sleep lets others write.
func (s *stage) sleep(d time.Duration) {
	s.with(func() {})
	time.Sleep(d)
	s.await(0)
	synctest.Wait()
}

// event plays one event.
func (s *stage) event() {
	events := []struct {
		often int
		play  func()
	}{
		{30, s.turn},
		{6, s.hostAway},
		{8, s.agentSays},
		{6, s.flap},
		{6, s.flapAlone},
		{4, s.flapOneEntry},
		{16, s.edit},
		{6, s.reloadSame},
		{10, s.reloadOther},
		{8, s.reloadChecks},
		{8, s.readdress},
		{4, s.resolverFails},
		{10, s.order},
		{6, s.letIn},
		{8, s.maintain},
		{3, s.dirAway},
		{2, s.restart},
		{2, s.stop},
		{2, s.crash},
		{3, s.killInOrder},
		{3, s.killInQuiescence},
		{2, s.diskFull},
		{3, s.faults},
		{2, s.descriptors},
		{3, s.pause},
	}
	all := 0
	for _, e := range events {
		all += e.often
	}
	chosen := s.random.IntN(all)
	for _, e := range events {
		if chosen -= e.often; chosen < 0 {
			e.play()
			break
		}
	}
	s.sleep(time.Duration(s.random.IntN(1500)) * time.Millisecond)
}

func (s *stage) anyPair() (*service, *pair) {
	v := s.services[1+s.random.IntN(services)]
	return v, v.pairs[1+s.random.IntN(hosts)]
}

// turn breaks or mends one real server.
func (s *stage) turn() {
	v, p := s.anyPair()
	kind := s.anyKind(v)
	s.with(func() { p.turn(kind) })
	s.note("10.1.0.%d of service %d works: %v, check %d", p.host, p.service, p.finds(kind), kind)
}

// agentSays changes what an agent, or another check, answers while it is well.
func (s *stage) agentSays() {
	_, p := s.anyPair()
	s.with(func() {
		p.says = []int{0, 10, 50, 100, 150}[s.random.IntN(5)]
		p.shakeExits(s.random)
		p.limiting.says = []uint32{0, 0, 1, 20, 60}[s.random.IntN(5)]
		p.word = []word{saysShare, saysShare, saysDown, saysNothing}[s.random.IntN(4)]
	})
	s.note("10.1.0.%d of service %d says %d%% maxconn:%d, or exits with %v; word %d", p.host, p.service, p.says, p.limiting.says, p.wishes.exits, p.word)
}

// hostAway breaks or mends a host with all its services.
func (s *stage) hostAway() {
	h, works := 1+s.random.IntN(hosts), s.random.IntN(2) == 0
	s.note("host 10.1.0.%d works: %v", h, works)
	s.with(func() {
		for _, v := range s.services[1:] {
			for kind := range kinds {
				if p := v.pairs[h]; p.finds(kind) != works {
					p.turn(kind)
				}
			}
		}
	})
}

func (s *stage) flap() {
	v, p := s.anyPair()
	kind := s.anyKind(v)
	s.note("10.1.0.%d of service %d flaps, check %d", p.host, p.service, kind)
	for range 6 {
		s.with(func() { p.turn(kind) })
		s.sleep(time.Duration(s.random.IntN(3000)) * time.Millisecond)
	}
}

// apply is somebody else at work on the table.
func (s *stage) apply(c ipvs.Change) bool {
	err := s.Table.Apply(c)
	s.note("somebody: ipvsadm %s: %v", c, err)
	if err == nil {
		s.made(c)
	}
	return err == nil
}

// edit is a change of the table by somebody else, and its time until driftcheck.
func (s *stage) edit() {
	s.mu.Lock()
	v, p := s.anyPair()
	key := keyOf(p.service)
	at := p.at
	p = s.pairAt(v, at)
	change := ipvs.Change{Service: ipvs.Service{Key: key, Scheduler: "wlc"}, Destination: ipvs.Destination{AddrPort: at, Forward: v.forward()}}
	weight, held := s.table[key][at]
	if s.table[key] == nil || p.unsure || s.blindfolded || s.climbs(p) || v.mayDrain() || v.damp && s.anyDamped() {
		s.mu.Unlock()
		return
	}
	switch kind := s.random.IntN(8); {
	case kind == 0 && !v.invalid:
		change.Op = ipvs.EditService
		s.apply(change)
	case kind == 1:
		change.Op, change.Destination.AddrPort, change.Destination.Weight = ipvs.AddDestination, netip.MustParseAddrPort("10.1.0.77:80"), 1
		if s.apply(change) {
			v.foreign[change.Destination.AddrPort] = 1
		}
	case kind == 2 && v.fallback:
		change.Destination.AddrPort, change.Destination.Weight = fallbackAt, 1
		change.Op = ipvs.AddDestination
		if _, there := s.table[key][fallbackAt]; there {
			change.Op = ipvs.DeleteDestination
		}
		s.apply(change)
	case kind == 3 && held: // a dead one stays away
		change.Op = ipvs.DeleteDestination
		if s.apply(change) {
			p.absent, p.hand = p.configured && !s.in(p), -1
			p.unsure, p.stolen = p.refused(), s.in(p)
		}
	case held && p.configured && !p.refused():
		change.Op, change.Destination.Weight = ipvs.EditDestination, s.random.IntN(9)
		p.zeroed = change.Destination.Weight == 0
		if change.Destination.Weight != weight && s.apply(change) && s.in(p) {
			if p.hand = change.Destination.Weight; p.hand == p.weight && p.order != "weight" || p.order == "weight" && p.hand == p.weigh {
				p.hand = -1
			}
		}
	case !held && p.configured && !p.refused():
		change.Op, change.Destination.Weight = ipvs.AddDestination, s.random.IntN(9)
		if s.apply(change) {
			p.absent = false
		}
	}
	v.unseen = p
	wasOut := !s.in(p)
	endDoubt := v.doubtKept()
	s.mu.Unlock()
	now := time.Now()
	s.sleep(4 * time.Second)
	s.with(func() {
		p.stolen, v.unseen = false, nil
		endDoubt()
		changed := slices.ContainsFunc(v.pairs[1:], func(o *pair) bool { return o.at == p.at && o.changed.After(now) && !s.inBeside(o) })
		if changed && (wasOut || p.full() == 0 || p.verdict == up && !s.in(p)) { // driftcheck may have seen it before or after
			p.unsure = true
		}
	})
}

// reload puts the file of the model in force.
func (s *stage) reload() { s.putInForce(s.parse()) }

func (s *stage) putInForce(cfg *conf.Config) {
	s.whole = cfg
	s.book.Use(cfg, s.answers)
	s.loads++
	s.with(func() {}) // as sleep
	s.await(loaded + time.Duration(s.loads%100)*time.Microsecond)
	s.with(func() { s.reading = true })
	if err := s.d.Reload(s.t.Context(), cfg); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
	s.with(func() { s.loading, s.reading = false, false; s.tell() })
	s.sleep(2 * time.Millisecond) // until the answers to dropped checks are in
}

// reloadSame is a reload of the same file.
func (s *stage) reloadSame() {
	s.note("reload of the same file")
	s.with(func() {
		s.loading = true
		for n := range s.old {
			s.old[n] = n > 0 && s.services[n].configured
		}
		s.begin(false)
	})
	s.reload()
}

// shake changes what the file says of a service.
func (s *stage) shake(n int) {
	v := s.services[n]
	v.quiescent, v.fallback = s.random.IntN(2) == 0, s.random.IntN(3) > 0
	v.expires = v.quiescent && s.random.IntN(2) == 0
	v.fall, v.rise = 1+s.random.IntN(3), 1+s.random.IntN(2)
	v.invalid = s.random.IntN(8) == 0
	v.cleanStop, v.command, v.agent = s.random.IntN(2) == 0, s.random.IntN(4) == 0, s.random.IntN(5) == 0
	v.drains = !v.agent && s.random.IntN(4) == 0
	v.weighs = !v.agent && !v.drains && s.random.IntN(3) == 0
	v.beside = !v.agent && s.random.IntN(4) == 0
	v.shakeShared(s.random)
	v.slow = s.random.IntN(4) == 0 || v.shared && s.random.IntN(2) == 0
	v.damp = !v.shared && v.minAlive == 0 && s.random.IntN(5) == 0
	v.slowLimit = s.random.IntN(3) == 0
	v.byHand = s.random.IntN(3) == 0
	if !v.invalid {
		v.scheduler = []string{"rr", "wrr", "lc"}[s.random.IntN(3)]
	}
	for _, p := range v.pairs[1:] {
		configured := s.random.IntN(3) > 0
		if configured != p.configured {
			p.own = ordering{}
			p.inForce()
		}
		p.configured = configured
		p.shakeExits(s.random)
		p.weight = s.random.IntN(6)
		p.bad = s.random.IntN(12) == 0
		if p.bad && p.weight == 0 {
			p.weight = 1
		}
	}
	v.shakeLimits(s.random)
	v.alike()
	v.shakeNamed(s.random)
	v.shakeSeveral(s.random)
	v.shakeJoint(s.random)
	v.oneLine()
	s.shareChecks()
}

// reloadOther is a reload of an edited file.
func (s *stage) reloadOther() {
	s.with(func() {
		s.loading = true
		n := 1 + s.random.IntN(services)
		for i := range s.old {
			s.old[i] = i > 0 && s.services[i].configured
		}
		orders := map[*pair]ordering{}
		for _, p := range s.services[n].pairs[1:] {
			orders[p] = p.own
		}
		s.shake(n)
		for p, order := range orders { // orders outlive the file
			p.own = order
			p.inForce()
		}
		s.services[n].configured = s.random.IntN(6) > 0
		s.begin(false)
		s.note("reload with service %d: configured %v, %s", n, s.services[n].configured, s.words(s.services[n]))
	})
	s.reload()
}

// dirAway makes the maintenance directory unreadable for a while: everything
// stays as it is.
func (s *stage) dirAway() {
	s.sleep(2 * time.Second)
	s.note("the maintenance directory cannot be read")
	s.with(func() { s.dirError = syscall.EIO })
	s.sleep(time.Duration(s.random.IntN(8000)) * time.Millisecond)
	s.with(func() { s.dirError = nil })
}

func (s *stage) pause() { s.sleep(10 * time.Second) }

// settle lets everything come to rest, compares the table with the model, and
// has the same file loaded again, which writes nothing.
func (s *stage) settle() {
	s.sleep(25 * time.Second)
	s.settleWaits()
	s.note("settled")
	table, err := s.Table.Read()
	if err != nil {
		s.t.Fatal(err)
	}
	if s.anyDamped() {
		s.with(func() { s.dampedLast(table) })
		s.sleep(dampBound)
		if table, err = s.Table.Read(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.with(func() {
		s.settled(table)
		s.settledKnown()
	})
	s.reloadSame() // what somebody has set by hand ends here
	s.sleep(10 * time.Second)
	s.with(func() { s.quiet = "a reload that changes nothing" })
	s.reload()
	s.sleep(5 * time.Second)
	s.with(func() { s.quiet = "" })
}
