package daemon

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/state"
)

// A pulse beats as long as the daemon works, from its claim to its end.
type pulse struct {
	works atomic.Pointer[func() bool]
	stop  chan struct{}
	ended sync.WaitGroup
}

// newPulse begins to beat. A nil own has no heartbeat.
func newPulse(own *ownership) *pulse {
	p := &pulse{stop: make(chan struct{})}
	if own != nil {
		p.ended.Go(func() { p.beat(own) })
	}
	return p
}

func (p *pulse) beat(own *ownership) {
	tick := time.NewTicker(state.BeatInterval)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		if works := p.works.Load(); works == nil || (*works)() {
			own.beat()
		}
	}
}

// of makes the pulse beat only while works returns true.
func (p *pulse) of(works func() bool) { p.works.Store(&works) }

func (p *pulse) end() {
	close(p.stop)
	p.ended.Wait()
}

// loopPatience bounds one step of the daemon's own loop: it is longer than the setup of a
// host.
const loopPatience = 2 * hostPatience

// works reports whether the director and the daemon's own loop make progress.
func (d *daemon) works() bool {
	return d.director.Alive() == nil && d.round.age() < loopPatience
}

// A stopwatch measures the time since its restart, by the monotonic clock. Its methods may
// be called from any goroutine.
type stopwatch struct{ at atomic.Pointer[time.Time] }

func (w *stopwatch) restart() {
	now := time.Now()
	w.at.Store(&now)
}

// age is 0 before the first restart.
func (w *stopwatch) age() time.Duration {
	at := w.at.Load()
	if at == nil {
		return 0
	}
	return time.Since(*at)
}
