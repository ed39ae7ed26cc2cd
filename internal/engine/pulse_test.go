package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ldirectord/checker"
)

// standStill is what p finds when it stood still for d while it beats.
func (p *pulse) standStill(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = p.due.Add(-d)
}

// A time-out during which the process stood still does not count, once.
func TestStandstill(t *testing.T) {
	const timeout = 500 * ms
	tests := []struct {
		name     string
		silences int // of the real server, before it answers
		up       bool
		attempts int // that count
		asked    int
	}{
		{"it answers when asked again", 1, true, 1, 2},
		{"it never answers", 5, false, 2, 3},
	}
	for _, tt := range tests {
		kinds := map[string]func(t *testing.T, e *Engine, asked func() bool) checker.Checker{
			"dialogue": func(t *testing.T, _ *Engine, asked func() bool) checker.Checker {
				addr := serve(t, func(conn net.Conn) {
					if asked() {
						io.WriteString(conn, "yes\n")
					}
					silent(conn)
				})
				return ask{target: checker.Target{Network: "tcp", Addr: addr}, question: "well?\n", answer: "yes"}
			},
			"call": func(_ *testing.T, _ *Engine, asked func() bool) checker.Checker {
				return call(func(ctx context.Context) (string, error) {
					if asked() {
						return "", nil
					}
					<-ctx.Done()
					return "", errors.New("a library's own words")
				})
			},
		}
		for kind, checkerFor := range kinds {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				e := newEngine(t, Options{})
				var asked atomic.Int32
				c := checkerFor(t, e, func() (answers bool) {
					n := int(asked.Add(1))
					if n > tt.silences {
						return true
					}
					e.pulse.standStill(time.Second)
					return false
				})
				r := e.Ask(t.Context(), c, timeout, 2)
				if up := r.Err == nil; up != tt.up || r.Attempts != tt.attempts || int(asked.Load()) != tt.asked {
					t.Errorf("up %v (%v) after %d attempts, asked %d times; want %v, %d, %d", up, r.Err, r.Attempts, asked.Load(), tt.up, tt.attempts, tt.asked)
				}
			})
		}
	}
}

// What fails in time fails, standing still or not.
func TestStandstillRefused(t *testing.T) {
	e := newEngine(t, Options{})
	calls := 0
	r := e.Ask(t.Context(), call(func(context.Context) (string, error) {
		calls++
		e.pulse.standStill(time.Minute)
		return "", errors.New("exit status 1")
	}), ample, 1)
	if r.Err == nil || r.Attempts != 1 || calls != 1 {
		t.Errorf("%v after %d attempts and %d calls, want one of each", r.Err, r.Attempts, calls)
	}
}

func TestPulse(t *testing.T) {
	tests := []struct {
		name    string
		still   time.Duration
		timeout time.Duration
		over    time.Duration // since the deadline
		excuses bool
	}{
		{"a second of three", time.Second, 3 * time.Second, 0, true},
		{"a second of six", time.Second, 6 * time.Second, 0, false},
		{"before the deadline", time.Second, 3 * time.Second, -ms, false},
		{"less than a beat", beat - ms, 500 * ms, 0, false},
		{"ten minutes", 10 * time.Minute, 3 * time.Second, 10 * time.Minute, true},
		{"not at all", 0, 3 * time.Second, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pulse{asks: func() bool { return false }}
				before := p.feel(time.Now())
				p.standStill(beat + tt.still)
				if got := p.excuses(time.Now().Add(-tt.over), tt.timeout, before); got != tt.excuses {
					t.Errorf("excuses is %v, want %v", got, tt.excuses)
				}
				p.rest()
			})
		})
	}
}

// Nothing beats while nobody is asked, and that is no standstill.
func TestPulseRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asks := true
		p := pulse{asks: func() bool { return asks }}
		p.feel(time.Now())
		time.Sleep(time.Minute)
		p.rest() // but somebody is asked
		if stood := p.feel(time.Now()); stood != 0 {
			t.Errorf("stood still for %v beside a beating pulse", stood)
		}
		asks = false
		p.rest()
		began := time.Now()
		time.Sleep(time.Hour)
		asks = true
		if stood := p.feel(time.Now()); stood != 0 {
			t.Errorf("stood still for %v, want to have rested", stood)
		}
		time.Sleep(beat)
		synctest.Wait()
		p.mu.Lock()
		if want := began.Add(time.Hour + 2*beat); !p.due.Equal(want) {
			t.Errorf("it beats again after %v, want %v", p.due.Sub(began), want.Sub(began))
		}
		p.mu.Unlock()
		asks = false
		p.rest()
	})
}
