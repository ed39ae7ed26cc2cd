package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
)

// A call is a Caller of the tests.
type call func(ctx context.Context) (string, error)

func (call) String() string { return "call" }

func (c call) Check(ctx context.Context) (string, error) { return c(ctx) }

func TestCall(t *testing.T) {
	tests := []struct {
		name string
		call call
		want Result
		took time.Duration
	}{
		{"up", func(context.Context) (string, error) { return "1 row", nil }, Result{Detail: "1 row", Attempts: 1}, 0},
		{"up in the end", func(context.Context) (string, error) {
			time.Sleep(4 * time.Second)
			return "1 row", nil
		}, Result{Detail: "1 row", Attempts: 1}, 4 * time.Second},
		{"down", func(context.Context) (string, error) { return "", errors.New("exit status 1") }, Result{Err: errors.New("exit status 1"), Attempts: 2}, 0},
		{"obeys its deadline", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, Result{Err: errors.New("no answer in 5s"), Attempts: 2}, 10 * time.Second},
		{"says itself what it waited for", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			time.Sleep(200 * ms) // killing its child processes
			return "", errors.New("external /bin/x: no answer in 5s, killed")
		}, Result{Err: errors.New("external /bin/x: no answer in 5s, killed"), Attempts: 2}, 10400 * ms},
		{"ignores its deadline", func(context.Context) (string, error) {
			time.Sleep(time.Minute)
			return "too late", nil
		}, Result{Err: errors.New("no answer in 5s"), Attempts: 2}, 12 * time.Second},
		{
			"could not ask", func(context.Context) (string, error) { return "", checker.LocalError{Err: errors.New("no rights")} },
			Result{Err: errors.New("not checked: no rights"), Attempts: 2, Local: true},
			0,
		},
		{
			"panics", func(context.Context) (string, error) { panic("what is this?") },
			Result{Err: errors.New("not checked: the check itself failed: what is this?"), Attempts: 2, Local: true},
			0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.want.Took, tt.want.Last = tt.took, tt.took/time.Duration(max(1, tt.want.Attempts))
				got := newEngine(t, Options{}).Ask(t.Context(), tt.call, 5*time.Second, 2)
				time.Sleep(time.Minute) // even what ignores its deadline ends in the test
				if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b error) bool { return errText(a) == errText(b) })); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// What never ends is given up and counted, and there is a bound to it.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, Options{MaxCallers: 3})
		release := make(chan struct{})
		stuck := call(func(context.Context) (string, error) {
			<-release
			return "", nil
		})
		for range 3 {
			if r := e.Ask(t.Context(), stuck, time.Second, 1); r.Local || r.Err == nil {
				t.Fatalf("stuck: %v, local %v; want no answer", r.Err, r.Local)
			}
		}
		if diff := cmp.Diff(Load{Abandoned: 3}, e.Load()); diff != "" {
			t.Errorf("load (-want +got):\n%s", diff)
		}
		r := e.Ask(t.Context(), stuck, time.Second, 1)
		if diff := cmp.Diff(verdict{Err: "not checked: too many checks did not end by their deadline", Local: true}, verdictOf(r)); diff != "" {
			t.Errorf("one more (-want +got):\n%s", diff)
		}
		close(release)
		synctest.Wait()
		if diff := cmp.Diff(Load{}, e.Load()); diff != "" {
			t.Errorf("load when they have ended (-want +got):\n%s", diff)
		}
		if r := e.Ask(t.Context(), stuck, time.Second, 1); r.Err != nil {
			t.Errorf("asked again: %v, want up", r.Err)
		}
	})
}

func TestCallIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		r := newEngine(t, Options{}).Ask(ctx, call(func(ctx context.Context) (string, error) {
			<-ctx.Done()
			time.Sleep(200 * ms) // cleaning up is waited for
			return "", errors.New("interrupted")
		}), time.Minute, 5)
		if !errors.Is(r.Err, context.DeadlineExceeded) || r.Attempts != 1 {
			t.Errorf("%v after %d attempts, want the context's error after 1", r.Err, r.Attempts)
		}
		if took := time.Since(began); took != 2200*ms {
			t.Errorf("took %v, want 2.2s", took)
		}
	})
}

// Those that wait for their turn are counted, keep their whole timeout, and go
// when their context does.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, Options{MaxCallers: 2})
		slow := call(func(ctx context.Context) (string, error) {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(3 * time.Second):
				return "", nil
			}
		})
		results := make(chan Result, 5)
		for range 4 {
			go func() { results <- e.Ask(t.Context(), slow, 5*time.Second, 1) }()
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		synctest.Wait()
		if diff := cmp.Diff(Load{Calls: 2, Waiting: 2}, e.Load()); diff != "" {
			t.Errorf("load (-want +got):\n%s", diff)
		}
		r := e.Ask(impatient, slow, 5*time.Second, 1)
		if diff := cmp.Diff(verdict{Err: "context deadline exceeded"}, verdictOf(r)); diff != "" {
			t.Errorf("the impatient one (-want +got):\n%s", diff)
		}
		if r := e.Ask(impatient, slow, 5*time.Second, 1); r.Err == nil || r.Attempts != 0 {
			t.Errorf("%v after %d attempts, want none when the context is over", r.Err, r.Attempts)
		}
		for range 4 {
			if r := <-results; r.Err != nil || r.Took != 3*time.Second {
				t.Errorf("%v in %v, want up in 3s whatever it waited", r.Err, r.Took)
			}
		}
	})
}

type neither struct{}

func (neither) String() string { return "neither" }

func TestNoCheck(t *testing.T) {
	r := newEngine(t, Options{}).Ask(t.Context(), neither{}, time.Second, 1)
	if diff := cmp.Diff(verdict{Err: "not checked: engine.neither is no check", Local: true}, verdictOf(r)); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}

// Last is the time of the last attempt alone, without what this host stood still meanwhile.
func TestLast(t *testing.T) {
	for _, stands := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var stalled atomic.Int64
			e := newEngine(t, Options{Stalled: func() time.Duration { return time.Duration(stalled.Load()) }})
			attempts := 0
			r := e.Ask(t.Context(), call(func(context.Context) (string, error) {
				if attempts++; attempts == 1 {
					time.Sleep(3 * time.Second)
					return "", errors.New("down")
				}
				time.Sleep(time.Second)
				if stands {
					stalled.Add(int64(400 * time.Millisecond))
				}
				return "", nil
			}), 5*time.Second, 2)
			want := time.Second
			if stands {
				want = 600 * time.Millisecond
			}
			if r.Err != nil || r.Last != want || r.Took != 4*time.Second {
				t.Errorf("stands still %v: %v, the last attempt %s, all %s, want %s of 4s", stands, r.Err, r.Last, r.Took, want)
			}
		})
	}
}
