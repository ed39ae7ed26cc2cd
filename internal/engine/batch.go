package engine

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
)

// A Batch starts checks that begin together. In a nearby network most real servers
// answer while the rest of the batch starts. The batch polls its sockets from time to
// time, a few dozen with one system call, and continues the answered checks: they
// never have to wait in the loop. A Batch belongs to one goroutine.
type Batch struct {
	engine  *Engine
	waiting []*run
	sockets []unix.PollFd // of waiting, in its order
	unseen  int           // joined after the last look
	began   time.Time     // zero before the first
}

const (
	// aLook is the number of checks that start between two looks at the sockets.
	aLook = 64
	// mostUnanswered is the number of unanswered checks at which a batch leaves them
	// to the loop.
	mostUnanswered = 512
	// aLong is the time after which a batch leaves its checks to the loop at once: so
	// much work needs two goroutines.
	aLong = 25 * time.Millisecond
)

// Batch returns an empty Batch.
func (e *Engine) Batch() *Batch { return &Batch{engine: e} }

// Start is Engine.Start. Leave has to follow.
func (b *Batch) Start(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(Result)) {
	if b.began.IsZero() {
		b.began = time.Now()
	}
	b.engine.start(ctx, c, timeout, attempts, b, done)
	switch {
	case b.unseen < aLook:
	case time.Since(b.began) > aLong:
		b.disperse()
	default:
		b.look()
	}
	if len(b.waiting) >= mostUnanswered {
		b.disperse()
	}
}

// Leave ends the batch: its unanswered checks wait separately, as after
// Engine.Start. Another batch may follow.
func (b *Batch) Leave() {
	b.look()
	b.disperse()
	b.began = time.Time{}
}

// join takes r in until it is answered or the batch ends. r must not be touched any
// more.
func (b *Batch) join(r *run, events uint32) {
	b.waiting = append(b.waiting, r)
	b.sockets = append(b.sockets, unix.PollFd{Fd: int32(r.conn.socket.fd), Events: int16(events)})
	b.unseen++
}

// look continues the checks with events.
func (b *Batch) look() {
	b.unseen = 0
	if len(b.waiting) == 0 {
		return
	}
	if b.engine.kernel.lookPoll(b.sockets) == 0 {
		return
	}
	kept := 0
	for i, r := range b.waiting {
		if b.sockets[i].Revents != 0 {
			r.onEvent()
			continue
		}
		b.waiting[kept], b.sockets[kept] = r, b.sockets[i]
		kept++
	}
	b.keep(kept)
}

// disperse leaves all checks to the loop.
func (b *Batch) disperse() {
	b.unseen = 0
	for i, r := range b.waiting {
		r.leaveToLoop(uint32(b.sockets[i].Events))
	}
	b.keep(0)
}

// keep drops all but the first n.
func (b *Batch) keep(n int) {
	clear(b.waiting[n:])
	b.waiting, b.sockets = b.waiting[:n], b.sockets[:n]
}
