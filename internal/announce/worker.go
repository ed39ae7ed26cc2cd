package announce

import (
	"context"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A worker is a goroutine that takes a step when it is rung for, and at a tick when one is due, until
// Leave.
type worker struct {
	bell   chan struct{}
	end    context.CancelFunc
	ended  chan struct{} // closed when the goroutine has ended; nil before its start
	faults faults

	mu      sync.Mutex // of all that is not the goroutine's
	closing bool       // other states count no more
}

func newWorker() worker { return worker{bell: make(chan struct{}, 1)} }

// ring has the worker take a step soon. It does not block.
func (w *worker) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// start begins the work. due and step are called by the goroutine alone.
func (w *worker) start(due func(now time.Time) bool, step func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	w.end, w.ended = cancel, make(chan struct{})
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.bell:
			case <-tick.C:
				if !due(time.Now()) {
					continue
				}
			}
			step(ctx)
		}
	}()
}

// Leave ends the goroutine, and the ctx of a step that goes on. It leaves everything as it is: the next
// daemon goes on. Afterwards the caller owns the state of the goroutine.
func (w *worker) Leave() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	if w.ended != nil {
		w.end()
		<-w.ended
	}
}

// Faults are the last steps that failed, until one succeeds.
func (w *worker) Faults() []report.Fault { return w.faults.list() }
