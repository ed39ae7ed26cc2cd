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

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A failing table refuses every change for as long as it fails.
type failing struct {
	*ipvs.Memory
	fails atomic.Bool
	edits atomic.Bool // changes of what is in the table alone
}

func (f *failing) Apply(c ipvs.Change) error {
	if f.fails.Load() || f.edits.Load() && c.Op == ipvs.EditDestination {
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

// The kernel refuses again and again to lower the weight of the only real server: it is in service with the old
// one or the new one, and the fallback stays out.
func TestRefusedLowerWeightNeedsNoFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := &failing{Memory: ipvs.NewMemory()}
		const first, second = "10.1.0.1:80", "10.1.0.2:80"
		l := goLive(t, table, "driftcheck=0\n"+refusableFile("", "3", ""), second)
		defer l.end()
		time.Sleep(time.Minute)
		table.edits.Store(true)
		weigh := func(weight int) {
			if _, _, err := l.d.Obey(t.Context(), report.Order{Verb: report.Weight, Weight: weight, Real: first}); err != nil {
				t.Fatal(err)
			}
		}
		weigh(2)
		time.Sleep(time.Minute)
		for _, want := range []string{"[10.1.0.1:80=3]", "[10.1.0.1:80=1]"} {
			entries, err := table.Read()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range entries[0].Destinations {
				got = append(got, fmt.Sprintf("%s=%d", d.AddrPort, d.Weight))
			}
			if fmt.Sprint(got) != want {
				t.Errorf("the table has %v, want %s; the log:\n%s", got, want, strings.TrimSpace(l.logged()))
			}
			table.edits.Store(false)
			weigh(1)
			time.Sleep(time.Minute)
		}
	})
}
