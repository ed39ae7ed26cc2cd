// Package checks has the distinct checks of a configuration made: real servers with equal
// checks share one. It hands the results over in the order of the file.
package checks

import (
	"context"
	"iter"
	"math"
	"net/netip"
	"runtime"
	"slices"
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
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// Options are how checks are made.
type Options struct {
	// Start starts a check, as engine.Engine.Start does. If it is nil, Ask makes it, up to
	// attempts times, each within timeout, in a goroutine of its own. With neither the checks
	// go over the network.
	Start Starter
	Ask   func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int) engine.Result
	Trace bool // results have the sent and received bytes
}

// A Starter starts a check and hands its result over when there is one.
type Starter func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(engine.Result))

// A Set has the distinct checks of a configuration, and runs them. Its methods are for the
// goroutine that owns the state, except where a comment says otherwise.
type Set struct {
	o       Options
	Sched   *schedule.Schedule
	maker   checkspec.Maker
	Results *Inbox
	start   Starter
	close   func()                                 // ends what start has begun, if it can
	room    func(checker.Checker) (free, most int) // see engine.Engine.Room
	ctx     context.Context                        // ends with the checks
	done    chan struct{}                          // closed when no check runs any more

	Running atomic.Pointer[schedule.Schedule] // sched, for any goroutine

	List       []*virtual.Check // in the order of the file
	linked     bool             // the checks know their neighbours
	Unfinished int              // checks that have not finished since the start or reload
}

// New returns a Set without checks.
func New(o Options) *Set {
	return &Set{o: o, Results: NewInbox(), maker: checkspec.Maker{Pinger: &ping.Pinger{}}}
}

// Begin starts the schedule. Checks run until ctx is done.
func (s *Set) Begin(ctx context.Context, cfg *conf.Config) {
	s.ctx = ctx
	s.room = func(checker.Checker) (free, most int) { return math.MaxInt, math.MaxInt }
	start, pause, end := s.starter()
	s.start, s.close = start, end
	s.Sched = schedule.New(schedule.Options{Rate: float64(cfg.CheckRate), Pause: pause})
	s.done = make(chan struct{})
	s.Running.Store(s.Sched)
	go func() {
		defer close(s.done)
		s.Sched.Run(ctx)
	}()
}

// patience is how long the checks under way may take to end.
const patience = 2 * time.Second

// End waits until no check runs, so that no external command outlives the daemon, for at
// most patience. The context of begin is done before.
func (s *Set) End() {
	s.close()
	select {
	case <-s.done:
	case <-time.After(patience):
	}
	s.maker.Pinger.Close()
}

// starter is that of the Options, or the network. pause is to be called after
// all that start together were started.
func (s *Set) starter() (start Starter, pause, end func()) {
	if s.o.Start != nil {
		return s.o.Start, s.Results.ring, func() {}
	}
	if ask := s.o.Ask; ask != nil {
		return func(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(engine.Result)) {
			go func() {
				done(ask(ctx, c, timeout, attempts))
				runtime.Gosched() // others may have a result, too
				s.Results.ring()
			}()
		}, s.Results.ring, func() {}
	}
	o := engine.Options{
		Trace:   s.o.Trace,
		Pause:   s.Results.ring,
		Stalled: func() time.Duration { return s.Sched.Stalled() },
	}
	e := engine.New(o)
	s.room = e.Room
	batch := e.Batch()
	return batch.Start, func() { batch.Leave(); s.Results.ring() }, e.Close
}

// A Result is the result of one check.
type Result struct {
	engine.Result
	Check *virtual.Check
	Asked checker.Checker
	At    time.Time // when the director read it
	Held  error     // the failure that holdlocal has made Local, nil for none
}

// newCheck returns a check without users.
func (s *Set) newCheck(q checkspec.Key, k *virtual.Kit) *virtual.Check {
	c := &virtual.Check{Kit: k, At: q.At, Unfinished: true}
	ask, connect := s.maker.Checkers(k.Kit, q.At, c.Expires)
	c.Ask = ask
	c.Job.Interval = k.CheckInterval
	c.Job.Start = func() { s.ask(c) }
	if _, ok := ask.(checker.Caller); ok || connect != nil {
		c.Rare = &virtual.Rarity{Connect: connect}
		c.Rare.Asked.Unknown = k.ExternalWeight
		if ok {
			c.Rare.Ctx, c.Rare.Cancel = context.WithCancel(s.ctx)
		}
	}
	s.Unfinished++
	return c
}

// ask asks c once. The result comes to the director's goroutine.
func (s *Set) ask(c *virtual.Check) {
	ctx, ask, timeout := s.ctx, c.Ask, c.Kit.Timeout()
	if r := c.Rare; r != nil {
		if r.Connects > 0 {
			ask, timeout = r.Connect, c.Kit.CheckTimeout
		}
		if r.Ctx != nil {
			ctx = r.Ctx
		}
	}
	s.start(ctx, ask, timeout, c.Kit.Attempts(), func(r engine.Result) {
		if ctx.Err() == nil {
			c.Kit.HideResult(&r)
			c.ChooseNext(r.Err == nil && !r.Drains)
			s.Results.Put(Result{Check: c, Asked: ask, Result: r})
		}
		s.Sched.Done(&c.Job)
	})
}

// Repace sets c's interval if its state has changed that. The first time it
// does so in any case: a check made ahead of its first regular turn may
// have its second one too far away.
func (s *Set) Repace(c *virtual.Check) {
	if pace := c.Pace(); pace != c.Job.Interval || !c.Paced {
		c.Paced = true
		s.Sched.SetInterval(&c.Job, pace)
	}
}

// NoteFinished notes that c has finished.
func (s *Set) NoteFinished(c *virtual.Check) {
	if c.Unfinished {
		c.Unfinished = false
		s.Unfinished--
	}
}

// neighbours are the other checks at c's address. Who is whose neighbour is
// found out at the first use since a load.
func (s *Set) neighbours(c *virtual.Check) iter.Seq[*virtual.Check] {
	if !s.linked {
		s.link()
	}
	return func(yield func(*virtual.Check) bool) {
		for n := c.Neighbour; n != nil && n != c && yield(n); n = n.Neighbour {
		}
	}
}

// link links the checks at each address to a ring.
func (s *Set) link() {
	last := make(map[netip.Addr]*virtual.Check, len(s.List))
	for _, c := range s.List {
		addr := c.At.Addr()
		c.Neighbour = c
		if l := last[addr]; l != nil {
			c.Neighbour, l.Neighbour = l.Neighbour, c
		}
		last[addr] = c
	}
	s.linked = true
}

// Use makes the checks those of the virtual services. Real servers come with the checks that
// they had before: a check still needed keeps its rhythm.
func (s *Set) Use(virtuals []*virtual.Service) {
	old := s.List
	for _, c := range old {
		c.Users, c.Unfinished = nil, false
	}
	s.List, s.Unfinished, s.linked = make([]*virtual.Check, 0, len(old)), 0, false
	fresh := &freshChecks{old: old, kits: Kits{}}
	for _, v := range virtuals {
		for _, r := range v.Reals {
			if several := virtual.SeveralOf(r); several != nil {
				s.useSeveral(r, several, fresh)
				continue
			}
			q, ok := r.Key()
			if !ok {
				r.Checks = nil
				continue
			}
			c := s.checkFor(q, r.Checks, fresh)
			r.Checks = r.Checks[:0]
			s.join(c, r)
			if r.Verdict == policy.Unchecked && !c.Unfinished {
				fresh.soon = append(fresh.soon, &c.Job)
			}
		}
	}
	s.Sched.Add(fresh.jobs...) // together, so that the schedule sees how many they are, and before it is woken up
	s.Sched.Soon(fresh.soon...)
	for _, c := range old {
		if len(c.Users) == 0 {
			s.Sched.Remove(&c.Job)
			c.Leave()
		}
	}
}

// useSeveral has the checks made of a real server that has several. Two of them may be one.
func (s *Set) useSeveral(r *virtual.Real, several *virtual.Several, fresh *freshChecks) {
	before := r.Checks
	r.Checks = make([]*virtual.Check, 0, len(several.Parts))
	soon := several.Differs()
	for i := range several.Parts {
		p := &several.Parts[i]
		q, ok := virtual.KeyOf(r, p)
		if !ok {
			continue
		}
		p.Check = s.checkFor(q, before, fresh)
		if !slices.Contains(r.Checks, p.Check) {
			s.join(p.Check, r)
		}
		if (soon || p.Verdict == policy.Unchecked) && !p.Check.Unfinished {
			fresh.soon = append(fresh.soon, &p.Check.Job)
		}
	}
}

// freshChecks are those of one load that were not there before.
type freshChecks struct {
	old  []*virtual.Check
	kits Kits
	all  map[checkspec.Key]*virtual.Check // the old ones, too; nil until it is needed, which with the same file is never
	jobs []*schedule.Job                  // of those that are new
	soon []*schedule.Job                  // that are made at once: nothing is known of the real server
}

// checkFor returns the check of a key: of those of the real server before, else of another
// one, else a new one.
func (s *Set) checkFor(q checkspec.Key, before []*virtual.Check, fresh *freshChecks) *virtual.Check {
	for _, c := range before {
		if c.Key() == q {
			return c
		}
	}
	if fresh.all == nil {
		fresh.all = make(map[checkspec.Key]*virtual.Check, len(fresh.old))
		for _, c := range fresh.old {
			fresh.all[c.Key()] = c
		}
	}
	c := fresh.all[q]
	if c == nil {
		c = s.newCheck(q, fresh.kits.Of(q.Spec))
		fresh.all[q] = c
		fresh.jobs = append(fresh.jobs, &c.Job)
	}
	return c
}

// join has c made for r, too. Most checks are for one real server: a part of the virtual
// service's list serves as theirs.
func (s *Set) join(c *virtual.Check, r *virtual.Real) {
	if len(c.Users) == 0 {
		s.List = append(s.List, c)
		c.Users = r.Virtual.Reals[r.Order : r.Order+1 : r.Order+1]
	} else {
		c.Users = append(c.Users, r)
	}
	r.Checks = append(r.Checks, c)
}

// Soon has checks made at once.
func (s *Set) Soon(checks ...*virtual.Check) {
	jobs := make([]*schedule.Job, len(checks))
	for i, c := range checks {
		jobs[i] = &c.Job
	}
	s.Sched.Soon(jobs...)
}

// Recheck is Soon, and returns which of them begin at once.
func (s *Set) Recheck(checks ...*virtual.Check) report.Recheck {
	type kind struct{ free, most int }
	kinds := map[bool]*kind{} // of callers, and of others
	a := report.Recheck{Checks: len(checks)}
	for _, c := range checks {
		_, calls := c.Ask.(checker.Caller)
		k := kinds[calls]
		if k == nil {
			k = new(kind)
			k.free, k.most = s.room(c.Ask)
			kinds[calls] = k
		}
		switch running := s.Sched.Running(&c.Job); {
		case running && k.free == 0: // it may be one that waits itself
			a.Behind, a.Limit = a.Behind+1, k.most
		case running:
			a.Running++
			a.Within = max(a.Within, report.InSeconds(c.Kit.Timeout()*time.Duration(c.Kit.Attempts())))
		case k.free == 0:
			a.Behind, a.Limit = a.Behind+1, k.most
		default:
			k.free--
		}
	}
	s.Soon(checks...)
	return a
}

// SoonAround has all other checks at the address of c made at once: when one check of a host
// fails, its others may be about to.
func (s *Set) SoonAround(c *virtual.Check) {
	if c == nil {
		return
	}
	for n := range s.neighbours(c) {
		s.Soon(n)
	}
}

// Lag is how far the checks are behind their plan.
func (s *Set) Lag(now time.Time) report.Lag {
	l := s.Sched.Lag()
	return report.Lag{
		Checks: len(s.List), Running: l.Running, Overdue: l.Overdue, Worst: report.InSeconds(l.Worst),
		Silent: report.InSeconds(max(0, now.Sub(s.Sched.LastTick()))), Unheard: s.Unfinished,
	}
}
