package engine

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// maxFollows is how many redirects one attempt follows.
const maxFollows = 10

// A run is one check by a Talker, from its start to its result: attempt after
// attempt until the real server is up. An attempt opens a connection, and one more
// for each redirect, under one deadline. What has a shorter life is in the fields
// attempt and conn.
//
// A run belongs to one goroutine at a time. Its methods work until they would have
// to wait. Then the run is left to a batch, to the loop, or to a goroutine of its
// own (see alone.go), and must not be touched any more.
type run struct {
	engine   *Engine
	ctx      context.Context
	talker   checker.Talker
	timeout  time.Duration // of each attempt
	attempts int           // the most
	done     func(Result)
	result   Result
	began    time.Time // the first attempt
	excused  bool      // one attempt did not count

	attempt attempt
	conn    connection
	wait    wait
}

// An attempt is what a run knows of its present attempt.
type attempt struct {
	deadline time.Time
	stalled  time.Duration // the engine's total at the beginning
	follows  int           // redirects so far
	excerpts excerpts
}

// A wait is what the batch and the loop know of a run that waits.
type wait struct {
	batch *Batch    // polls the run first, nil is none
	until time.Time // when the run goes on without an event
	index int       // in the loop's heap of times
}

// runs holds ended runs for reuse.
var runs = sync.Pool{New: func() any { return new(run) }}

// start begins the first attempt.
func (r *run) start() {
	r.began = time.Now()
	r.startAttempt(r.began)
}

// startAttempt begins the next attempt.
func (r *run) startAttempt(now time.Time) {
	r.result.Attempts++
	r.attempt.follows = 0
	r.attempt.deadline, r.attempt.stalled = now.Add(r.timeout), r.engine.stalled()
	r.connect(r.talker)
}

// connect opens a connection to the target of t, to run t's Dialogue there.
func (r *run) connect(t checker.Talker) {
	c := &r.conn
	from := c.target.From
	c.reset(t, &r.attempt.excerpts)
	if err := guard(c.aim); err != nil {
		r.endConnection(err)
		return
	}
	if r.attempt.follows > 0 {
		c.target.From = from
	}
	if c.target.Host != "" {
		r.alone(r.lookUp)
		return
	}
	r.open(c.target.Addr)
}

// open opens the socket to addr.
func (r *run) open(addr netip.AddrPort) {
	c := &r.conn
	s, err := r.engine.open(c.target, addr)
	if err != nil {
		r.endConnection(err)
		return
	}
	c.socket = s
	if c.target.TLS == nil && !s.udp && !s.maybeSelf {
		r.speakFirst()
		return
	}
	if r.connected() {
		r.await()
	}
}

// speakFirst takes the Dialogue's first step before the connection is known to be
// established, if that step sends bytes and does nothing else. If the socket takes
// them, the connection is established, and one system call is saved. If not, they
// are sent as soon as it is.
func (r *run) speakFirst() {
	c := &r.conn
	var first checker.Step
	err := guard(func() error {
		if c.enter(); c.dialogue != nil {
			first = c.dialogue.Next(nil, false)
		}
		return nil
	})
	if err == nil && (len(first.Send) == 0 || first.Done || first.Follow != nil || first.StartTLS != nil) {
		c.dialogue = nil // it begins anew when the connection is established
		if r.connected() {
			r.await()
		}
		return
	}
	if err != nil {
		r.endConnection(err)
		return
	}
	c.step = first
	c.out.add(first.Send, first.CloseWrite)
	if r.sendFirst() {
		r.await()
	}
}

// sendFirst sends the bytes of the Dialogue's first step, which succeeds once the
// connection is established. It returns true if the run goes on in the caller.
func (r *run) sendFirst() bool {
	c := &r.conn
	if !r.sendRest() {
		return false
	}
	if len(c.out.data) == len(c.step.Send) {
		r.awaitAgain()
		return false
	}
	c.phase = talking
	return true
}

// connected goes on if the connection is established. It returns true if the run
// goes on in the caller.
func (r *run) connected() bool {
	c := &r.conn
	if c.dialogue != nil { // it speaks first
		return r.sendFirst()
	}
	settled, err := c.established()
	switch {
	case !settled:
		r.awaitAgain()
	case err != nil:
		r.endConnection(err)
	case c.target.TLS != nil:
		r.alone(func() { r.talkAlone(c.target.TLS) })
	default:
		return r.begin()
	}
	return false
}

// begin begins the Dialogue, if there is one. It returns true if the run goes on in
// the caller.
func (r *run) begin() bool {
	c := &r.conn
	c.phase = talking
	err := guard(func() error { c.enter(); return nil })
	if err != nil || c.dialogue == nil {
		r.endConnection(err)
		return false
	}
	return r.takeStep()
}

// takeStep takes the Dialogue's next step. It returns false if the run goes on
// elsewhere or has ended.
func (r *run) takeStep() bool {
	c := &r.conn
	over, err := c.takeStep()
	switch {
	case over:
		r.endConnection(err)
	case c.step.StartTLS != nil:
		r.alone(func() { r.talkAlone(c.step.StartTLS) })
	default:
		return true
	}
	return false
}

// endConnection closes the connection. A nil err means that the Dialogue ended it,
// with a verdict or a redirect; any other is the connection's own.
func (r *run) endConnection(err error) {
	r.conn.close()
	step := &r.conn.step
	switch {
	case err != nil:
		if r.isExcused() {
			r.excused = true
			r.attempts++
		}
		r.endAttempt("", r.conn.reason(err, r.timeout))
	case step.Follow == nil:
		r.endAttempt(step.Detail, step.Err)
	case r.attempt.follows == maxFollows:
		r.endAttempt("", errTooFar)
	default:
		r.attempt.follows++
		r.connect(step.Follow)
	}
}

// endAttempt begins the next attempt, or ends the run.
func (r *run) endAttempt(detail string, err error) {
	res := &r.result
	res.Sent, res.Received = nil, nil
	res.answered(detail, err)
	if res.Err != nil || r.engine.trace {
		res.Sent, res.Received = r.attempt.excerpts.take()
	}
	r.attempt.excerpts.release()
	if res.Err != nil && r.ctx.Err() == nil && res.Attempts < r.attempts {
		r.startAttempt(time.Now())
		return
	}
	r.end()
}

// end delivers the result.
func (r *run) end() {
	e, done, res := r.engine, r.done, r.result
	now := time.Now()
	res.Took = now.Sub(r.began)
	if a := &r.attempt; !a.deadline.IsZero() {
		res.Last = now.Sub(a.deadline.Add(-r.timeout)) - (e.stalled() - a.stalled)
	}
	if r.excused {
		res.Attempts--
	}
	res.settle(r.ctx)
	*r = run{} // frees all that it points at
	runs.Put(r)
	e.ended()
	done(res)
}

// guard calls f, which calls a Talker or a Dialogue. A panic becomes an error: it
// must harm no other check.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = broken(p)
		}
	}()
	return f()
}
