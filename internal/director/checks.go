package director

import (
	"context"
	"iter"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/ping"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/schedule"
)

// checkOptions are how checks are made.
type checkOptions struct {
	// Start starts a check, as engine.Engine.Start does. If it is nil, Ask makes it, up to
	// attempts times, each within timeout, in a goroutine of its own. With neither the checks
	// go over the network.
	Start checkStarter
	Ask   func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int) engine.Result
	Trace bool // results have what was sent and received
}

// A checkStarter starts a check and hands its result over when there is one.
type checkStarter func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(engine.Result))

// A checkSet has the distinct checks of a configuration, and runs them. Its methods are for the
// goroutine that owns the state, but for those of which something else is said.
type checkSet struct {
	o       checkOptions
	sched   *schedule.Schedule
	maker   checkspec.Maker
	results *inbox
	start   checkStarter
	close   func()          // ends what start has begun, if it can
	ctx     context.Context // ends with the checks
	done    chan struct{}   // closed when no check runs any more

	running atomic.Pointer[schedule.Schedule] // sched, for any goroutine

	list    []*check // in the order of the file
	linked  bool     // the checks know their neighbours
	unheard int      // checks that have not finished since the start or reload
}

func newChecks(o checkOptions) *checkSet {
	return &checkSet{o: o, results: newInbox(), maker: checkspec.Maker{Pinger: &ping.Pinger{}}}
}

// begin starts the schedule. Checks run until ctx is done.
func (s *checkSet) begin(ctx context.Context, cfg *conf.Config) {
	s.ctx = ctx
	start, pause, end := s.starter()
	s.start, s.close = start, end
	s.sched = schedule.New(schedule.Options{Rate: float64(cfg.CheckRate), Pause: pause})
	s.done = make(chan struct{})
	s.running.Store(s.sched)
	go func() {
		defer close(s.done)
		s.sched.Run(ctx)
	}()
}

// patience is how long the checks under way may take to end.
const patience = 2 * time.Second

// end waits until no check runs, so that no external command outlives the daemon, for at
// most patience. The context of begin is done before.
func (s *checkSet) end() {
	s.close()
	select {
	case <-s.done:
	case <-time.After(patience):
	}
	s.maker.Pinger.Close()
}

// starter is what the Options say, or the network. pause is to be called after
// all that start together were started.
func (s *checkSet) starter() (start checkStarter, pause, end func()) {
	if s.o.Start != nil {
		return s.o.Start, s.results.ring, func() {}
	}
	if ask := s.o.Ask; ask != nil {
		return func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(engine.Result)) {
			go func() {
				done(ask(ctx, c, timeout, attempts))
				runtime.Gosched() // others may have a result, too
				s.results.ring()
			}()
		}, s.results.ring, func() {}
	}
	o := engine.Options{
		Trace: s.o.Trace,
		Pause: s.results.ring,
		Stood: func() time.Duration { return s.sched.Stood() },
	}
	e := engine.New(o)
	crowd := e.Crowd()
	return crowd.Start, func() { crowd.Leave(); s.results.ring() }, e.Close
}

// A result is what came of asking.
type result struct {
	engine.Result
	check *check
	asked checker.Checker
	at    time.Time // when it was heard
}

// newCheck is a check that nobody has asked for yet.
func (s *checkSet) newCheck(q checkspec.Key, k *kit) *check {
	c := &check{kit: k, at: q.At, unheard: true}
	ask, connect := s.maker.Checkers(k.Kit, q.At, c.expires)
	c.ask = ask
	c.job.Interval = k.CheckInterval
	c.job.Start = func() { s.ask(c) }
	if _, ok := ask.(checker.Caller); ok || connect != nil {
		c.rare = &rarity{connect: connect}
		if ok {
			c.rare.ctx, c.rare.cancel = context.WithCancel(s.ctx)
		}
	}
	s.unheard++
	return c
}

// ask asks c once. The result comes to the director's goroutine.
func (s *checkSet) ask(c *check) {
	ctx, ask, timeout := s.ctx, c.ask, c.kit.Timeout()
	if r := c.rare; r != nil {
		if r.connects > 0 {
			ask, timeout = r.connect, c.kit.CheckTimeout
		}
		if r.ctx != nil {
			ctx = r.ctx
		}
	}
	s.start(ctx, ask, timeout, c.kit.Attempts(), func(r engine.Result) {
		if ctx.Err() == nil {
			c.kit.hideResult(&r)
			c.turn(r.Err == nil)
			s.results.put(result{check: c, asked: ask, Result: r})
		}
		s.sched.Done(&c.job)
	})
}

// repace sets c's interval if its state has changed that. The first time it
// does so in any case: whatever was asked ahead of its first regular turn may
// have its second one too far away.
func (s *checkSet) repace(c *check) {
	if pace := c.pace(); pace != c.job.Interval || !c.paced {
		c.paced = true
		s.sched.SetInterval(&c.job, pace)
	}
}

// heard notes that c has answered.
func (s *checkSet) heard(c *check) {
	if c.unheard {
		c.unheard = false
		s.unheard--
	}
}

// neighbours are the other checks at c's address. Who is whose neighbour is
// found out when it is asked for the first time since a load.
func (s *checkSet) neighbours(c *check) iter.Seq[*check] {
	if !s.linked {
		s.link()
	}
	return func(yield func(*check) bool) {
		for n := c.neighbour; n != nil && n != c && yield(n); n = n.neighbour {
		}
	}
}

// introduce links the checks at each address to a ring.
func (s *checkSet) link() {
	last := make(map[netip.Addr]*check, len(s.list))
	for _, c := range s.list {
		addr := c.at.Addr()
		c.neighbour = c
		if l := last[addr]; l != nil {
			c.neighbour, l.neighbour = l.neighbour, c
		}
		last[addr] = c
	}
	s.linked = true
}

// use makes the checks those of the virtual services. A check that was there before keeps its
// rhythm. before has the earlier check of each real server, in the order of the file, nil for
// none.
func (s *checkSet) use(virtuals []*virtual, before []*check) {
	old := s.list
	for _, c := range old {
		c.users, c.unheard = nil, false
	}
	s.list, s.unheard, s.linked = make([]*check, 0, len(old)), 0, false
	fresh := &freshChecks{old: old, kits: kits{}}
	for _, v := range virtuals {
		for i, r := range v.reals {
			if q, ok := r.key(); ok {
				c := s.checkFor(q, before[i], fresh)
				s.join(c, r)
				if r.Verdict == policy.Unchecked && !c.unheard {
					fresh.soon = append(fresh.soon, &c.job)
				}
			}
		}
		before = before[len(v.reals):]
	}
	s.sched.Add(fresh.jobs...) // together, so that the schedule sees how many they are, and before it is woken up
	s.sched.Soon(fresh.soon...)
	for _, c := range old {
		if len(c.users) == 0 {
			s.sched.Remove(&c.job)
			c.leave()
		}
	}
}

// freshChecks are what one load asks that was not asked before.
type freshChecks struct {
	old  []*check
	kits kits
	all  map[checkspec.Key]*check // the old ones, too; nil until it is needed, which with the same file is never
	jobs []*schedule.Job          // of those that are new
	soon []*schedule.Job          // that are to answer at once: nothing is known of who is asked
}

// checkFor is the check that asks q: before if that does, else another one that
// does, else a new one.
func (s *checkSet) checkFor(q checkspec.Key, before *check, fresh *freshChecks) *check {
	if before != nil && before.key() == q {
		return before
	}
	if fresh.all == nil {
		fresh.all = make(map[checkspec.Key]*check, len(fresh.old))
		for _, c := range fresh.old {
			fresh.all[c.key()] = c
		}
	}
	c := fresh.all[q]
	if c == nil {
		c = s.newCheck(q, fresh.kits.of(q.Spec))
		fresh.all[q] = c
		fresh.jobs = append(fresh.jobs, &c.job)
	}
	return c
}

// join has c asked for r too. Most checks are asked for one real server: its
// place in the virtual service's list is theirs.
func (s *checkSet) join(c *check, r *real) {
	if len(c.users) == 0 {
		s.list = append(s.list, c)
		c.users = r.virtual.reals[r.order : r.order+1 : r.order+1]
	} else {
		c.users = append(c.users, r)
	}
	r.check = c
}

// soon has checks made at once.
func (s *checkSet) soon(checks ...*check) {
	jobs := make([]*schedule.Job, len(checks))
	for i, c := range checks {
		jobs[i] = &c.job
	}
	s.sched.Soon(jobs...)
}

// lag is how far the checks are behind their plan.
func (s *checkSet) lag(now time.Time) report.Lag {
	l := s.sched.Lag()
	return report.Lag{
		Checks: len(s.list), Running: l.Running, Overdue: l.Overdue, Worst: report.InSeconds(l.Worst),
		Silent: report.InSeconds(max(0, now.Sub(s.sched.LastTick()))), Unheard: s.unheard,
	}
}
