// Package engine runs checks: one check of one real server, with its result.
//
// Dialogues run over own non-blocking sockets on Go's poller, which cost little
// more than C on epoll; over crypto/tls where they need it. Checks that call a
// library run in a bounded pool. The package does not know when a check is due, nor
// the consequences of a result for a virtual service.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// Options are the choices of an Engine. The zero value is usable.
type Options struct {
	// MaxTalks limits the Talkers that run at the same time. A check beyond it
	// waits; its deadline counts from its begin. 0 is the number of possible
	// descriptors, less a reserve, so that no check waits for a dead server.
	MaxTalks int
	// MaxCallers limits the Callers that run at the same time, 0 is 256.
	MaxCallers int

	// Trace keeps the sent and received bytes of every check, not only of failed
	// ones.
	Trace bool

	// Pause is called after results were delivered, when no more are ready; nil is
	// none. It is not called for results that were delivered before Start returned:
	// its caller knows of them.
	Pause func()

	// Stalled returns the total time for which this process has stalled: it was
	// stopped, the machine was paused or moved, or other processes had the
	// processor. nil is never. An attempt that timed out in a stall does not count,
	// once for each check.
	Stalled func() time.Duration

	// Resolver looks up the names of redirects, nil is net.DefaultResolver.
	Resolver Resolver
}

// A Resolver finds the addresses of a name, as *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const defaultMaxCallers = 256

// An Engine runs checks. Any number of goroutines may use it.
type Engine struct {
	trace     bool
	resolver  Resolver
	pause     func()
	ephemeral uint16 // the lowest port that may be our own end's

	stalled func() time.Duration

	kernel kernel
	loop   loop
	calls  chan struct{} // one element for each running Caller

	mu    sync.Mutex
	most  int    // Talkers at the same time
	talks int    // running Talkers
	queue []*run // Talkers that wait for a free slot

	waiting   atomic.Int64 // Callers that wait for a free slot
	abandoned atomic.Int64
}

// New returns an Engine. It raises this process's limit of open descriptors as
// far as it may.
func New(o Options) *Engine {
	if o.Pause == nil {
		o.Pause = func() {}
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Stalled == nil {
		o.Stalled = func() time.Duration { return 0 }
	}
	return &Engine{
		stalled:   o.Stalled,
		kernel:    linux{},
		loop:      loop{kernel: linux{}, pause: o.Pause},
		trace:     o.Trace,
		resolver:  o.Resolver,
		pause:     o.Pause,
		ephemeral: lowestEphemeral(),
		most:      cmp.Or(max(o.MaxTalks, 0), descriptors()),
		calls:     make(chan struct{}, cmp.Or(max(o.MaxCallers, 0), defaultMaxCallers)),
	}
}

// A Result is the result of a check.
type Result struct {
	Err      error  // why the real server is down, nil is up
	Detail   string // the check's detail about the answer, "" is none
	Attempts int    // number of attempts made
	// Took is the time from the beginning of the first attempt to the end of
	// the last. The wait for a free slot does not count.
	Took time.Duration
	// Last is the time that the last attempt took, less what this host stood still
	// meanwhile.
	Last time.Duration

	// Sent and Received are the first bytes of the last attempt, not encrypted.
	// They are kept when Err is not
	// nil or Options.Trace is set, and may hold passwords.
	Sent, Received []byte

	// Local means that this host could not make the check: Err is no evidence about
	// the real server.
	Local bool

	// Drains means that the real server is up, and that its answer wants no new
	// connections: Detail has it.
	Drains bool

	// Weighs means that the real server is up, and that its check wants this Weight.
	Weighs bool
	Weight int
}

// answered takes over the answer of an attempt. A Wish is no error.
func (r *Result) answered(detail string, err error) {
	wish, ok := errors.AsType[checker.Wish](err)
	if ok {
		detail, err = wish.Answer, nil
	}
	r.Detail, r.Err, r.Drains, r.Weighs, r.Weight = detail, err, wish.Drains, wish.Weighs, wish.Weight
}

// settle completes a result: a check that ended with its context has the context's
// error.
func (r *Result) settle(ctx context.Context) {
	if r.Err != nil && ctx.Err() != nil {
		r.Err = ctx.Err()
	}
	r.Local = checker.IsLocal(r.Err)
}

// Start makes up to attempts attempts until the real server is up, and delivers the
// result to done, from a goroutine that must not block. Start does not wait; an
// immediate result may be delivered before it returns. Each attempt has the whole
// timeout, which begins with the attempt. The end of ctx ends a Caller and a Talker
// over TLS, and prevents further attempts of any other.
func (e *Engine) Start(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(Result)) {
	e.start(ctx, c, timeout, attempts, nil, done)
}

// start is Start for a check of a batch, nil is none.
func (e *Engine) start(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, batch *Batch, done func(Result)) {
	switch c := c.(type) {
	case checker.Talker:
		r := runs.Get().(*run)
		*r = run{engine: e, ctx: ctx, talker: c, timeout: timeout, attempts: attempts, done: done, wait: wait{batch: batch}}
		e.admit(r)
	case checker.Caller:
		go func() {
			done(e.callUntilUp(ctx, c, timeout, attempts))
			e.pause()
		}()
	default:
		done(Result{Err: checker.LocalError{Err: fmt.Errorf("%T is no check", c)}, Local: true})
	}
}

// Ask is Start and returns the result. When ctx ends it returns with ctx's error:
// at once from a Talker, and after the cleanup, within a second, from a Caller.
func (e *Engine) Ask(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int) Result {
	if err := ctx.Err(); err != nil {
		return Result{Err: err}
	}
	results := make(chan Result, 1)
	defer context.AfterFunc(ctx, e.sweep)()
	e.Start(ctx, c, timeout, attempts, func(r Result) { results <- r })
	return <-results
}

// Close ends the running Talkers without TLS; those of an ended context end by
// themselves. After it no check waits any more: one without an immediate result has
// the error context.Canceled.
func (e *Engine) Close() {
	e.loop.close()
	e.pause()
}

// admit starts a run when a slot is free.
func (e *Engine) admit(r *run) {
	e.mu.Lock()
	if e.talks == e.most {
		r.wait.batch = nil // it ends before the run starts
		e.queue = append(e.queue, r)
		e.mu.Unlock()
		return
	}
	e.talks++
	e.mu.Unlock()
	r.start()
}

// ended gives the slot of an ended run to the next one.
func (e *Engine) ended() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		e.talks--
		return
	}
	next := e.queue[0]
	e.queue = slices.Delete(e.queue, 0, 1)
	go e.alone(next.start)
}

// sweep ends the runs whose context has ended.
func (e *Engine) sweep() {
	e.loop.sweep()
	e.mu.Lock()
	var canceled []*run
	e.queue = slices.DeleteFunc(e.queue, func(r *run) bool {
		if r.ctx.Err() != nil {
			canceled = append(canceled, r)
			return true
		}
		return false
	})
	e.mu.Unlock()
	for _, r := range canceled {
		r.done(Result{Err: r.ctx.Err()})
	}
	e.pause()
}

// alone runs step, which continues a run in a goroutine of its own.
func (e *Engine) alone(step func()) {
	step()
	e.pause()
}

// callUntilUp waits for a free slot and then makes the attempts.
func (e *Engine) callUntilUp(ctx context.Context, c checker.Caller, timeout time.Duration, attempts int) (r Result) {
	if r.Err = e.acquire(ctx, e.calls); r.Err != nil {
		return r
	}
	defer func() { <-e.calls }()
	began := time.Now()
	excused := false
	for {
		deadline, stalled := time.Now().Add(timeout), e.stalled()
		r.answered(e.call(ctx, c, timeout))
		r.Last = time.Since(deadline.Add(-timeout)) - (e.stalled() - stalled)
		isOver := r.Err != nil && ctx.Err() == nil && !time.Now().Before(deadline)
		if isOver && !excused && excuses(timeout, e.stalled()-stalled) {
			excused = true
			continue
		}
		r.Attempts++
		if r.Err == nil || ctx.Err() != nil || r.Attempts >= attempts {
			break
		}
	}
	r.Took = time.Since(began)
	r.settle(ctx)
	return r
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

// Room returns how many more checks like c would begin at once, and how many of them run at
// the same time at most.
func (e *Engine) Room(c checker.Checker) (free, most int) {
	if _, ok := c.(checker.Caller); ok {
		return max(0, cap(e.calls)-len(e.calls)-int(e.waiting.Load())), cap(e.calls)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return max(0, e.most-e.talks), e.most
}
