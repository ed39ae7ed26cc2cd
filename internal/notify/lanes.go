package notify

import (
	"context"
	"sync"
	"time"
)

// How many functions run at once, and how many may usually wait in one lane.
const (
	lanesAtOnce = 16
	laneLength  = 500
)

// lanes run functions away from their caller. Those of one lane run one after
// another in their order, so that a command's "stop" never overtakes its
// "start"; those of different lanes run at once, so that a server that hangs
// holds up nobody but itself. A lane exists only while something is in it.
type lanes struct {
	ctx    context.Context // of every function; done when close runs out of patience
	cancel context.CancelFunc
	slots  chan struct{} // one for each function that runs
	length int           // how many may wait in one lane
	closes chan struct{} // closed when close is called

	mu      sync.Mutex
	waiting map[string][]func(context.Context)
	dropped uint64         // because a lane was full
	left    int            // because close ran out of patience
	running sync.WaitGroup // one for each lane
}

func newLanes(length int) *lanes {
	ctx, cancel := context.WithCancel(context.Background())
	return &lanes{
		ctx: ctx, cancel: cancel, slots: make(chan struct{}, lanesAtOnce), length: length,
		closes: make(chan struct{}), waiting: map[string][]func(context.Context){},
	}
}

// do has f run in a lane and does not wait for it. It reports false, and drops
// f, if too much waits there already or the lanes are closed.
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

// run runs what waits in a lane until it is empty.
func (l *lanes) run(lane string) {
	for {
		f := l.next(lane)
		if f == nil {
			return
		}
		l.slots <- struct{}{}
		f(l.ctx)
		<-l.slots
	}
}

// next takes what is next in a lane, nil if nothing is, or if close has run out
// of patience.
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

// close takes nothing more, lets what waits run for d at most, and then ends
// the functions' context: they return soon after. It returns how many were left
// that never ran. It is called once.
func (l *lanes) close(d time.Duration) (left int) {
	l.mu.Lock()
	close(l.closes)
	l.mu.Unlock()
	impatient := time.AfterFunc(d, l.cancel)
	l.running.Wait()
	impatient.Stop()
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}

// waitingIn is how many functions wait in a lane.
func (l *lanes) waitingIn(lane string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting[lane])
}

// pause waits for d, but not beyond the call of close: what was to be tried later
// is then tried now, while there is patience.
func (l *lanes) pause(d time.Duration) {
	select {
	case <-l.closes:
	case <-time.After(d):
	}
}

// closing reports whether close was called: nothing is tried again then.
func (l *lanes) closing() bool {
	select {
	case <-l.closes:
		return true
	default:
		return false
	}
}

// load is how many functions wait, and how many were dropped so far.
func (l *lanes) load() (waiting int, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, queue := range l.waiting {
		waiting += len(queue)
	}
	return waiting, l.dropped
}
