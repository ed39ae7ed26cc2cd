package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var runs, log []string
		began := time.Now()
		s := newSiblings(t.Context(), nil, func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) })
		s.exec = func(_ context.Context, file, verb string) error {
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			runs = append(runs, fmt.Sprintf("%v %s %s", time.Since(began), file, verb))
			if file == "b" && verb == "restart" {
				return errors.New("exit status 2")
			}
			return nil
		}
		s.use([]string{"a", "b"})
		s.use([]string{"c", "b", "b"}) // does not overtake
		s.use([]string{"c", "b"})
		s.use(nil)
		s.wait()
		slices.Sort(runs)
		want := []string{"1s a restart", "1s b restart", "2s a stop", "2s b reload", "2s c start", "3s b reload", "3s c reload", "4s b stop", "4s c stop"}
		if diff := cmp.Diff(want, runs); diff != "" {
			t.Errorf("commands differ (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"system(ldirectord b restart) failed: exit status 2"}, log); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
	})
}

func TestSiblingsWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSiblings(t.Context(), nil, func(string, ...any) {})
		hang := make(chan struct{})
		s.exec = func(context.Context, string, string) error {
			<-hang
			return nil
		}
		s.use([]string{"a"})
		began := time.Now()
		s.wait()
		if took := time.Since(began); took != partingTimeout {
			t.Errorf("waiting took %v, want %v", took, partingTimeout)
		}
		close(hang)
	})
}

func TestSiblingsNone(t *testing.T) {
	s := newSiblings(t.Context(), nil, nil)
	s.use(nil)
	s.wait()
}
