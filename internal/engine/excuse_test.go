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

	"github.com/ldirectord/ldirectord/checker"
)

// A timeout in a stall does not count, once.
func TestStall(t *testing.T) {
	t.Parallel()
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
		kinds := map[string]func(t *testing.T, asked func() bool) checker.Checker{
			"dialogue": func(t *testing.T, asked func() bool) checker.Checker {
				addr := serve(t, func(conn net.Conn) {
					if asked() {
						io.WriteString(conn, "yes\n")
					}
					silent(conn)
				})
				return ask{target: checker.Target{Network: "tcp", Addr: addr}, question: "well?\n", answer: "yes"}
			},
			"call": func(_ *testing.T, asked func() bool) checker.Checker {
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
				t.Parallel()
				var stalled atomic.Int64
				e := newEngine(t, Options{Stalled: func() time.Duration { return time.Duration(stalled.Load()) }})
				var asked atomic.Int32
				c := checkerFor(t, func() (answers bool) {
					n := int(asked.Add(1))
					if n > tt.silences {
						return true
					}
					stalled.Add(int64(time.Second))
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

// What fails in time fails, in a stall or not.
func TestStallRefused(t *testing.T) {
	var stalled atomic.Int64
	e := newEngine(t, Options{Stalled: func() time.Duration { return time.Duration(stalled.Load()) }})
	calls := 0
	r := e.Ask(t.Context(), call(func(context.Context) (string, error) {
		calls++
		stalled.Add(int64(time.Minute))
		return "", errors.New("exit status 1")
	}), ample, 1)
	if r.Err == nil || r.Attempts != 1 || calls != 1 {
		t.Errorf("%v after %d attempts and %d calls, want one of each", r.Err, r.Attempts, calls)
	}
}

func TestIsExcused(t *testing.T) {
	tests := []struct {
		name    string
		stalled time.Duration
		timeout time.Duration
		over    time.Duration // since the deadline
		want    bool
	}{
		{"a second of three", time.Second, 3 * time.Second, 0, true},
		{"a second of six", time.Second, 6 * time.Second, 0, false},
		{"before the deadline", time.Second, 3 * time.Second, -ms, false},
		{"not long enough", leastExcuse - ms, 500 * ms, 0, false},
		{"seen by the deadline itself", 0, 3 * time.Second, time.Second, true},
		{"not at all", 0, 3 * time.Second, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const before = 42 * time.Hour
				e := New(Options{Stalled: func() time.Duration { return before + tt.stalled }})
				r := run{engine: e, timeout: tt.timeout, attempt: attempt{deadline: time.Now().Add(-tt.over), stalled: before}}
				if got := r.isExcused(); got != tt.want {
					t.Errorf("isExcused is %v, want %v", got, tt.want)
				}
				r.excused = true
				if r.isExcused() {
					t.Error("it is excused a second time")
				}
			})
		})
	}
}
