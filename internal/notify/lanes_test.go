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
