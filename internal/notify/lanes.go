package notify

import (
	"context"
	"sync"
	"time"
)

// The number of functions that run at once, and the usual limit of those waiting in
// one lane.
const (
	lanesAtOnce = 16
	laneLength  = 500
)

// lanes run functions on goroutines of their own. Those of one lane run one after
// another in their order, so that a command's "stop" never overtakes its "start";
// those of different lanes run at once, so that a server that hangs blocks only its
// own lane. A lane exists only while it has a function.
type lanes struct {
	ctx    context.Context // the context of all functions; close cancels it after its time
	cancel context.CancelFunc
	slots  chan struct{} // one for each function that runs
	length int           // limit of waiting functions in one lane
	closes chan struct{} // closed when close is called
	shares bool          // the time of close is shared out, see share

	mu      sync.Mutex
	waiting map[string][]func(context.Context)
	ends    map[string]func() // of each lane whose function runs, which it cancels
	slotted int               // lanes that wait for a slot
	dropped uint64            // because of a full lane
	left    int               // because the time of close was over
	running sync.WaitGroup    // one for each lane
}

func newLanes(length int) *lanes {
	ctx, cancel := context.WithCancel(context.Background())
	return &lanes{
		ctx: ctx, cancel: cancel, slots: make(chan struct{}, lanesAtOnce), length: length,
		closes: make(chan struct{}), waiting: map[string][]func(context.Context){}, ends: map[string]func(){},
	}
}

// do queues f in a lane and does not wait for it. It reports false, and drops f, if
// the lane is full or the lanes are closed.
func (l *lanes) do(lane string, f func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue, busy := l.waiting[lane]
	if l.closing() || len(queue) >= l.length {
		l.dropped++
		return false
	}
	l.waiting[lane] = append(queue, f)
	if !busy {
		l.running.Go(func() { l.run(lane) })
	}
	return true
}

// run runs the functions of a lane until it is empty.
func (l *lanes) run(lane string) {
	for {
		f := l.next(lane)
		if f == nil {
			return
		}
		l.wait(1)
		l.slots <- struct{}{}
		l.wait(-1)
		l.runOne(lane, f)
		<-l.slots
	}
}

func (l *lanes) wait(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slotted += n
}

func (l *lanes) runOne(lane string, f func(context.Context)) {
	ctx, end := context.WithCancel(l.ctx)
	defer end()
	l.mu.Lock()
	l.ends[lane] = end
	l.mu.Unlock()
	f(ctx)
	l.mu.Lock()
	delete(l.ends, lane)
	l.mu.Unlock()
}

// share ends the functions that others wait for. It is called when half the time of close is
// over, so that a "start" that hangs does not take that of the "stop" behind it.
func (l *lanes) share() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for lane, end := range l.ends {
		if len(l.waiting[lane]) > 0 || l.slotted > 0 {
			end()
		}
	}
}

// next takes the next function of a lane, nil if there is none, or if the time of
// close is over.
func (l *lanes) next(lane string) func(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.waiting[lane]
	if l.ctx.Err() != nil {
		l.left += len(queue)
		queue = nil
	}
	if len(queue) == 0 {
		delete(l.waiting, lane)
		return nil
	}
	l.waiting[lane] = queue[1:]
	return queue[0]
}

// close accepts no more functions, lets the waiting ones run for at most d, and
// then cancels their context: they return soon after. It returns the number of
// functions that never ran. It is called once. Lanes that share end after d/2 what others wait
// for.
func (l *lanes) close(d time.Duration) (left int) {
	l.mu.Lock()
	close(l.closes)
	l.mu.Unlock()
	impatient := time.AfterFunc(d, l.cancel)
	if l.shares {
		defer time.AfterFunc(d/2, l.share).Stop()
	}
	l.running.Wait()
	impatient.Stop()
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}

// waitingIn is the number of functions waiting in a lane.
func (l *lanes) waitingIn(lane string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting[lane])
}

// pause waits for d, at most until the call of close: a retry then takes place at
// once.
func (l *lanes) pause(d time.Duration) {
	select {
	case <-l.closes:
	case <-time.After(d):
	}
}

// insist calls f, in its lane, until it succeeds: again after the pauses of a mail, unless another
// function of the lane waits or close was called. It returns the last error.
func (l *lanes) insist(lane string, f func() error) error {
	err := f()
	for _, pause := range retryPauses {
		if err == nil || l.closing() || l.waitingIn(lane) > 0 {
			break
		}
		l.pause(pause)
		err = f()
	}
	return err
}

// closing reports whether close was called: there are no more retries then.
func (l *lanes) closing() bool {
	select {
	case <-l.closes:
		return true
	default:
		return false
	}
}

// load returns the number of waiting functions, and of those dropped so far.
func (l *lanes) load() (waiting int, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, queue := range l.waiting {
		waiting += len(queue)
	}
	return waiting, l.dropped
}
