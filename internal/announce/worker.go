package announce

import (
	"context"
	"time"
)

// A worker is a goroutine that takes a step when it is rung for, and at a tick when one is due.
type worker struct {
	bell  chan struct{}
	end   context.CancelFunc
	ended chan struct{} // closed when the goroutine has ended; nil before its start
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

// stop ends the goroutine, and the ctx of a step that goes on. What the goroutine owns is the caller's then.
func (w *worker) stop() {
	if w.ended != nil {
		w.end()
		<-w.ended
	}
}
