package director

import (
	"context"
	"sync/atomic"
	"time"

	"ldirectord/checker"
	"ldirectord/internal/engine"
	"ldirectord/internal/schedule"
)

// A check asks one question of one real server, in the name of all virtual
// services that ask the same.
type check struct {
	question question
	ask      checker.Checker
	connect  checker.Checker // between two of the former (checktype = N), else nil
	job      *schedule.Job
	users    []*real // owned by the director's goroutine

	certificateEnds atomic.Int64 // Unix seconds, 0 is unknown
	past            past         // owned by the director's goroutine
	secrets         secrets

	connects int // left until ask's turn; owned by the runs, which never overlap
}

// A result is what came of asking.
type result struct {
	engine.Result
	check *check
	asked checker.Checker
	at    time.Time
}

// run asks once and hands the result to the director's goroutine.
func (d *Director) run(ctx context.Context, c *check) {
	ask, timeout := c.ask, c.question.timeout
	if c.connects > 0 {
		ask, timeout = c.connect, c.question.connectTimeout
	}
	res := result{check: c, asked: ask, Result: d.o.Ask(ctx, ask, timeout, c.question.attempts), at: time.Now()}
	if ctx.Err() != nil {
		return
	}
	c.secrets.hideResult(&res.Result)
	c.turn(res.Err == nil)
	select {
	case d.results <- res:
	case <-ctx.Done():
	}
}

// turn chooses what is asked next: with checktype = N that many connects
// follow a good answer, and whatever fails is followed by the full question.
func (c *check) turn(ok bool) {
	switch {
	case c.connect == nil:
	case !ok:
		c.connects = 0
	case c.connects > 0:
		c.connects--
	default:
		c.connects = c.question.combined
	}
}

// pace is how long from one asking to the next: the users of a check share
// their intervals, so that the state of the whole decides.
func (c *check) pace() time.Duration {
	q := c.question
	failing, out := false, true
	for _, r := range c.users {
		failing = failing || r.verdict == up && r.failures > 0 || r.verdict == down && r.successes > 0
		out = out && r.verdict == down
	}
	switch {
	case failing && q.fastInterval > 0:
		return q.fastInterval
	case out && q.downInterval > 0:
		return q.downInterval
	default:
		return q.interval
	}
}
