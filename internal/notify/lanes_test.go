package notify

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(laneLength)
		began := time.Now()
		var slow, fast []int
		for i := range 3 {
			l.do("slow", func(context.Context) {
				time.Sleep(time.Duration(3-i) * time.Second)
				slow = append(slow, i)
			})
			l.do("fast", func(context.Context) { fast = append(fast, i) })
		}
		synctest.Wait()
		if diff := cmp.Diff([]int{0, 1, 2}, fast); diff != "" {
			t.Errorf("the fast lane waited for the slow one (-want +got):\n%s", diff)
		}
		l.close(time.Minute)
		if diff := cmp.Diff([]int{0, 1, 2}, slow); diff != "" {
			t.Errorf("order in the slow lane differs (-want +got):\n%s", diff)
		}
		if took, want := time.Since(began), 6*time.Second; took != want {
			t.Errorf("all took %v, want %v", took, want)
		}
		if len(l.waiting) != 0 {
			t.Errorf("empty lanes remain: %v", l.waiting)
		}
	})
}

func TestLanesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(laneLength)
		wait := func(ctx context.Context) { <-ctx.Done() }
		l.do("x", wait)
		synctest.Wait()
		for i := range laneLength {
			if !l.do("x", wait) {
				t.Fatalf("function %d was refused", i)
			}
		}
		if l.do("x", wait) {
			t.Error("a full lane took one more")
		}
		if !l.do("y", wait) {
			t.Error("an empty lane refused because another is full")
		}
		began := time.Now()
		left := l.close(2 * time.Second)
		if took := time.Since(began); took != 2*time.Second || left != laneLength {
			t.Errorf("close took %v, want 2s; %d functions were left, want %d", took, left, laneLength)
		}
		if l.do("z", wait) {
			t.Error("closed lanes took one more")
		}
	})
}

// TestStopBehindAHangingStart closes lanes whose functions end only when they have to: what waits
// behind one of them, or for its slot, has a share of the time.
func TestStopBehindAHangingStart(t *testing.T) {
	for name, others := range map[string]int{"in its lane": 0, "in other lanes": lanesAtOnce - 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLanes(laneLength)
				l.shares = true
				began := time.Now()
				hangs := func(ctx context.Context) { <-ctx.Done() }
				var alone, stopped time.Duration
				for i := range others {
					l.do(string(rune('a'+i)), hangs)
				}
				lane := "x"
				l.do(lane, hangs)
				synctest.Wait()
				if others > 0 {
					lane = "y"
				}
				l.do(lane, func(context.Context) { stopped = time.Since(began) })
				if others == 0 {
					l.do("z", func(ctx context.Context) { <-ctx.Done(); alone = time.Since(began) })
				}
				if left := l.close(9 * time.Second); left != 0 || stopped != 4500*time.Millisecond {
					t.Errorf("the stop ran after %v, want 4.5s; %d were left", stopped, left)
				}
				if others == 0 && alone != 9*time.Second {
					t.Errorf("one that no other waits for had %v, want 9s", alone)
				}
			})
		})
	}
}

func TestLanesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(laneLength)
		running, most := 0, 0
		for i := range 3 * lanesAtOnce {
			l.do(string(rune('a'+i)), func(context.Context) {
				l.mu.Lock()
				running++
				most = max(most, running)
				l.mu.Unlock()
				time.Sleep(time.Second)
				l.mu.Lock()
				running--
				l.mu.Unlock()
			})
		}
		l.close(time.Minute)
		if most != lanesAtOnce {
			t.Errorf("%d functions ran at once, want %d", most, lanesAtOnce)
		}
	})
}
