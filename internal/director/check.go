package director

import (
	"context"
	"iter"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/schedule"
)

// A check asks one question of one real server, in the name of all virtual
// services that ask the same.
type check struct {
	kit  *kit
	at   netip.AddrPort // who is asked
	ask  checker.Checker
	rare *rarity // nil is none
	job  schedule.Job

	certificateEnds atomic.Int64 // Unix seconds, 0 is unknown

	// Owned by the director's goroutine.
	unheard   bool    // it has not answered since the start or reload that made it
	paced     bool    // its interval was set at least once
	users     []*real // in the order of the file; not to be written to
	neighbour *check  // the next one at the same address, in a ring; see neighbours
	past      record.Log
}

// A rarity is what few checks need.
type rarity struct {
	connect  checker.Checker // between two full questions (checktype = N), else nil
	connects int32           // left until the full question's turn; owned by the runs, which never overlap

	// Of what may take long to end by itself, an external command or a library;
	// else nil.
	ctx    context.Context
	cancel context.CancelFunc
}

// A result is what came of asking.
type result struct {
	engine.Result
	check *check
	asked checker.Checker
	at    time.Time // when it was heard
}

// newCheck is a check that nobody has asked for yet.
func (d *Director) newCheck(q checkspec.Key, k *kit) *check {
	c := &check{kit: k, at: q.At, unheard: true}
	ask, connect := d.checkers.Checkers(k.Kit, q.At, c.expires)
	c.ask = ask
	c.job.Interval = k.CheckInterval
	c.job.Start = func() { d.ask(c) }
	if _, ok := ask.(checker.Caller); ok || connect != nil {
		c.rare = &rarity{connect: connect}
		if ok {
			c.rare.ctx, c.rare.cancel = context.WithCancel(d.checking)
		}
	}
	d.unheard++
	return c
}

// key is the identity of c.
func (c *check) key() checkspec.Key { return checkspec.Key{Spec: c.kit.Handle, At: c.at} }

// ask asks c once. The result comes to the director's goroutine.
func (d *Director) ask(c *check) {
	ctx, ask, timeout := d.checking, c.ask, c.kit.Timeout()
	if r := c.rare; r != nil {
		if r.connects > 0 {
			ask, timeout = r.connect, c.kit.CheckTimeout
		}
		if r.ctx != nil {
			ctx = r.ctx
		}
	}
	d.start(ctx, ask, timeout, c.kit.Attempts(), func(r engine.Result) {
		if ctx.Err() == nil {
			c.kit.hideResult(&r)
			c.turn(r.Err == nil)
			d.results.put(result{check: c, asked: ask, Result: r})
		}
		d.sched.Done(&c.job)
	})
}

// leave ends the asking of a check that nobody asks for any more.
func (c *check) leave() {
	if c.rare != nil && c.rare.cancel != nil {
		c.rare.cancel()
	}
}

// turn chooses what is asked next: with checktype = N that many connects
// follow a good answer, and whatever fails is followed by the full question.
func (c *check) turn(ok bool) {
	switch r := c.rare; {
	case r == nil || r.connect == nil:
	case !ok:
		r.connects = 0
	case r.connects > 0:
		r.connects--
	default:
		r.connects = int32(c.kit.Combined)
	}
}

// pace is how long from one asking to the next: the users of a check share
// their intervals, so that the state of the whole decides.
func (c *check) pace() time.Duration {
	failing, out := false, true
	for _, r := range c.users {
		failing = failing || r.Verdict == policy.Up && r.Failures > 0 || r.Verdict == policy.Down && r.Successes > 0
		out = out && r.Verdict == policy.Down
	}
	switch {
	case failing && c.kit.FastInterval > 0:
		return c.kit.FastInterval
	case out && c.kit.DownInterval > 0:
		return c.kit.DownInterval
	default:
		return c.kit.CheckInterval
	}
}

// repace sets c's interval if its state has changed that. The first time it
// does so in any case: whatever was asked ahead of its first regular turn may
// have its second one too far away.
func (d *Director) repace(c *check) {
	if pace := c.pace(); pace != c.job.Interval || !c.paced {
		c.paced = true
		d.sched.SetInterval(&c.job, pace)
	}
}

// heard notes that c has answered.
func (d *Director) heard(c *check) {
	if c.unheard {
		c.unheard = false
		d.unheard--
	}
}

// neighbours are the other checks at c's address. Who is whose neighbour is
// found out when it is asked for the first time since a load.
func (d *Director) neighbours(c *check) iter.Seq[*check] {
	if !d.introduced {
		d.introduce()
	}
	return func(yield func(*check) bool) {
		for n := c.neighbour; n != nil && n != c && yield(n); n = n.neighbour {
		}
	}
}

// introduce links the checks at each address to a ring.
func (d *Director) introduce() {
	last := make(map[netip.Addr]*check, len(d.checks))
	for _, c := range d.checks {
		addr := c.at.Addr()
		c.neighbour = c
		if l := last[addr]; l != nil {
			c.neighbour, l.neighbour = l.neighbour, c
		}
		last[addr] = c
	}
	d.introduced = true
}
