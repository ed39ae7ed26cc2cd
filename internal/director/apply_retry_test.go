package director

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A failing table refuses every change for as long as it fails.
type failing struct {
	*ipvs.Memory
	fails atomic.Bool
}

func (f *failing) Apply(c ipvs.Change) error {
	if f.fails.Load() {
		return errors.New("the kernel is out of memory")
	}
	return f.Memory.Apply(c)
}

// One real server comes back and another one goes down while the kernel fails.
// When the kernel works again, one change each puts that right: the fallback,
// which was needed as long as the kernel refused, is not added for the length of
// one turn.
func TestRetryWritesWhatIsNeeded(t *testing.T) {
	for _, quiescent := range []string{"yes", "no"} {
		for _, driftCheck := range []int{0, 3} {
			t.Run(fmt.Sprintf("quiescent %s, driftcheck %d", quiescent, driftCheck), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					table := &failing{Memory: ipvs.NewMemory()}
					var mu sync.Mutex
					var done []string
					table.OnChange = func(c ipvs.Change) {
						mu.Lock()
						defer mu.Unlock()
						done = append(done, c.String())
					}
					const first, second = "10.1.0.1:80", "10.1.0.2:80"
					l := goLive(t, table, fmt.Sprintf("quiescent=%s\ndriftcheck=%d\n%s", quiescent, driftCheck, refusableFile("", "", "")), first)
					defer l.end()
					time.Sleep(time.Minute)
					table.fails.Store(true)
					mu.Lock()
					done = nil
					mu.Unlock()
					l.set(false, first)
					l.set(true, second)
					time.Sleep(time.Minute)
					table.fails.Store(false)
					time.Sleep(time.Minute)
					mu.Lock()
					defer mu.Unlock()
					want := []string{"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1", "-d -t 10.0.0.1:80 -r 10.1.0.2:80"}
					if quiescent == "yes" {
						want = []string{"-e -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1", "-e -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 0"}
					}
					if diff := cmp.Diff(want, done); diff != "" {
						t.Errorf("the changes (-want +got):\n%s\nthe log:\n%s", diff, strings.TrimSpace(l.logged()))
					}
				})
			})
		}
	}
}
