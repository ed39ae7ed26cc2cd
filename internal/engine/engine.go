// Package engine runs checks: it asks one real server and says what came of it.
//
// Dialogues are run over own non-blocking sockets on Go's poller, which cost
// little more than C on epoll; over crypto/tls where they ask for it. Checks
// that call a library run in a bounded pool. The package does not know when to
// ask, nor what an answer means for a virtual service.
package engine

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"ldirectord/checker"
)

// Options are the choices of an Engine. The zero Options are good ones.
type Options struct {
	// MaxTalks bounds how many Talkers are asked at the same time; a check
	// beyond it waits, and its deadline with it. 0 is as many as there may be
	// descriptors, less a reserve: a check that waits for a dead server must
	// not keep the next one from its turn.
	MaxTalks int
	// MaxCallers bounds how many Callers are asked at the same time, 0 is 256.
	MaxCallers int

	// Source4 and Source6 are our addresses that the real servers see, for IPv4
	// and IPv6. Where one is invalid the kernel chooses.
	Source4, Source6 netip.Addr

	// Trace keeps what was sent and received of every check and not only of
	// those that fail.
	Trace bool

	// Resolver looks up the names of redirects, nil is net.DefaultResolver.
	Resolver Resolver
}

// A Resolver finds the addresses of a name, as *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const defaultMaxCallers = 256

// An Engine asks real servers. It may be used from any number of goroutines.
type Engine struct {
	source4, source6 netip.Addr
	trace            bool
	resolver         Resolver
	ephemeral        uint16 // the lowest port that may be our own end's

	talks, calls chan struct{} // one element for each check under way
	waiting      atomic.Int64
	abandoned    atomic.Int64
}

// New returns an Engine. It raises this process's limit of open descriptors as
// far as it may.
func New(o Options) *Engine {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	return &Engine{
		source4:   o.Source4,
		source6:   o.Source6,
		trace:     o.Trace,
		resolver:  o.Resolver,
		ephemeral: lowestEphemeral(),
		talks:     make(chan struct{}, cmp.Or(max(o.MaxTalks, 0), descriptors())),
		calls:     make(chan struct{}, cmp.Or(max(o.MaxCallers, 0), defaultMaxCallers)),
	}
}

// A Result is what came of a check.
type Result struct {
	Err      error  // why the real server is down, nil is up
	Detail   string // what the check says about the answer, "" is nothing
	Attempts int    // how often it was asked
	// Took is the time from the beginning of the first attempt to the end of
	// the last. Waiting for a turn does not count.
	Took time.Duration

	// Sent and Received are the first bytes of the last attempt's conversation,
	// as the Dialogue saw them (not encrypted). They are kept when Err is not
	// nil or Options.Trace is set, and may hold passwords.
	Sent, Received []byte

	// Local says that the real server could not be asked and that the fault is
	// on our side: Err says nothing about it.
	Local bool
}

// Ask asks up to attempts times until the real server is up. Each attempt has
// the whole timeout, which begins when the attempt does. When ctx ends, Ask
// returns with its error: at once from a Talker, and as soon as it has cleaned
// up, but a second later at the latest, from a Caller.
func (e *Engine) Ask(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int) (r Result) {
	slots := e.talks
	if _, ok := c.(checker.Caller); ok {
		slots = e.calls
	}
	if r.Err = e.acquire(ctx, slots); r.Err != nil {
		return r
	}
	defer func() { <-slots }()
	began := time.Now()
	for {
		r.Attempts++
		e.attempt(ctx, c, timeout, &r)
		if r.Err == nil || ctx.Err() != nil || r.Attempts >= attempts {
			break
		}
	}
	r.Took = time.Since(began)
	if r.Err != nil && ctx.Err() != nil {
		r.Err = ctx.Err()
	}
	r.Local = checker.IsLocal(r.Err)
	return r
}

// attempt asks c once and fills in what r says of it.
func (e *Engine) attempt(ctx context.Context, c checker.Checker, timeout time.Duration, r *Result) {
	switch c := c.(type) {
	case checker.Talker:
		e.talk(ctx, c, timeout, r)
	case checker.Caller:
		r.Detail, r.Err = e.call(ctx, c, timeout)
	default:
		r.Err = checker.LocalError{Err: fmt.Errorf("%T is no check", c)}
	}
}

// acquire takes one of the slots, or fails with ctx's error.
func (e *Engine) acquire(ctx context.Context, slots chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case slots <- struct{}{}:
		return nil
	default:
	}
	e.waiting.Add(1)
	defer e.waiting.Add(-1)
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A Load says how busy an Engine is.
type Load struct {
	Talks     int // Talkers being asked
	Calls     int // Callers being asked
	Waiting   int // checks that wait for their turn because too many are under way
	Abandoned int // Callers that did not end by their deadline and have not yet
}

// Load returns the present load.
func (e *Engine) Load() Load {
	return Load{
		Talks:     len(e.talks),
		Calls:     len(e.calls),
		Waiting:   int(e.waiting.Load()),
		Abandoned: int(e.abandoned.Load()),
	}
}
