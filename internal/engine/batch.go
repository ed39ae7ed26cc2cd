package engine

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
)

// A Crowd starts checks that begin together. In a neighbour's network most are
// answered while the rest of the crowd is being started: they are gone on with
// then, a few dozen with one system call, and never have to be waited for. It
// belongs to one goroutine.
type Crowd struct {
	engine  *Engine
	waiting []*conversation
	sockets []unix.PollFd // of the same
	unseen  int           // came after the last look
	began   time.Time     // zero before the first
}

const (
	// aLook is how many checks are started between two looks at those that were.
	aLook = 64
	// muchCrowd is how many may not have been answered and are still looked at.
	muchCrowd = 512
	// aLong is after what time a crowd leaves them to the loop at once: there is so
	// much to do that it takes two goroutines.
	aLong = 25 * time.Millisecond
)

// Crowd returns an empty Crowd.
func (e *Engine) Crowd() *Crowd { return &Crowd{engine: e} }

// Start is Engine.Start. Leave has to follow.
func (w *Crowd) Start(ctx context.Context, c checker.Checker, timeout time.Duration, attempts int, done func(Result)) {
	if w.began.IsZero() {
		w.began = time.Now()
	}
	w.engine.start(ctx, c, timeout, attempts, w, done)
	switch {
	case w.unseen < aLook:
	case time.Since(w.began) > aLong:
		w.disperse()
	default:
		w.look()
	}
	if len(w.waiting) >= muchCrowd {
		w.disperse()
	}
}

// Leave ends the crowd: its unanswered checks wait separately, as after
// Engine.Start. Another crowd may follow.
func (w *Crowd) Leave() {
	w.look()
	w.disperse()
	w.began = time.Time{}
}

// join takes c in until it is answered or the crowd ends. c must not be touched
// any more.
func (w *Crowd) join(c *conversation, events uint32) {
	w.waiting = append(w.waiting, c)
	w.sockets = append(w.sockets, unix.PollFd{Fd: int32(c.socket.fd), Events: int16(events)})
	w.unseen++
}

// look continues the checks with events.
func (w *Crowd) look() {
	w.unseen = 0
	if len(w.waiting) == 0 {
		return
	}
	if w.engine.kernel.lookPoll(w.sockets) == 0 {
		return
	}
	kept := 0
	for i, c := range w.waiting {
		if w.sockets[i].Revents != 0 {
			c.stir()
			continue
		}
		w.waiting[kept], w.sockets[kept] = c, w.sockets[i]
		kept++
	}
	w.keep(kept)
}

// disperse leaves all checks to the loop.
func (w *Crowd) disperse() {
	w.unseen = 0
	for i, c := range w.waiting {
		c.leaveToLoop(uint32(w.sockets[i].Events))
	}
	w.keep(0)
}

// keep forgets all but the first n.
func (w *Crowd) keep(n int) {
	clear(w.waiting[n:])
	w.waiting, w.sockets = w.waiting[:n], w.sockets[:n]
}
