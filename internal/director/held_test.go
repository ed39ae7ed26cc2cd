package director

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Two real servers that are one entry of the kernel, since gate keeps the virtual
// service's port: it is in service while one of them is well.
func TestTwoRealServersOneEntry(t *testing.T) {
	for _, quiescent := range []string{"no", "yes"} {
		t.Run("quiescent "+quiescent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := goLive(t, ipvs.NewMemory(), "checkinterval=5\nquiescent="+quiescent+"\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n"+
					"    real=10.1.0.1:8001 gate 2\n    real=10.1.0.1:8002 gate 3\n    fallback=127.0.0.1:80 masq\n")
				defer l.end()
				none := "127.0.0.1:80 -w 1"
				if quiescent == "yes" {
					none = "10.1.0.1:80 -w 0, " + none
				}
				for _, step := range []struct {
					down bool
					real string
					want string
				}{
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 2"},
					{true, "10.1.0.1:8002", "10.1.0.1:80 -w 2"},
					{true, "10.1.0.1:8001", none},
					{false, "10.1.0.1:8002", "10.1.0.1:80 -w 3"},
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 2"},
					{true, "10.1.0.1:8001", "10.1.0.1:80 -w 3"},
					{true, "10.1.0.1:8002", none},
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 2"},
				} {
					l.set(step.down, step.real)
					time.Sleep(time.Minute)
					if got := destinations(saved(t, l.table)); got != step.want {
						t.Errorf("%s down: %v: destinations %q, want %q; the log:\n%s", step.real, step.down, got, step.want, l.logged())
					}
				}
			})
		})
	}
}

// Which of several lines with one entry of the kernel counts: the tables are those
// that the original had on a kernel after its first checks.
func TestLinesOfOneEntry(t *testing.T) {
	for _, tt := range []struct{ reals, want string }{
		{"10.1.0.1 gate 7, 10.1.0.1:80 masq", "10.1.0.1:80 -w 1"},
		{"10.1.0.1:80 masq, 10.1.0.1 gate 7", "10.1.0.1:80 -w 1"},
		{"10.1.0.1:443 gate 5, 10.1.0.1:8443 gate 3", "10.1.0.1:80 -w 5"},
		{"10.1.0.1:80 masq 2, 10.1.0.1:80 masq 7", "10.1.0.1:80 -w 7"},
		{"10.1.0.1:80 gate 2, 10.1.0.1:443 gate 5, 10.1.0.1:80 masq 3, 10.1.0.1 ipip 9", "10.1.0.1:80 -w 3"},
		{"10.1.0.1:http masq 3, 10.1.0.1:8080 gate 5, 10.1.0.1:http gate 4", "10.1.0.1:80 -w 4"},
	} {
		t.Run(tt.reals, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const head = "checkinterval=5\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n    checkport=80\n    real="
				l := goLive(t, ipvs.NewMemory(), head+strings.ReplaceAll(tt.reals, ", ", "\n    real=")+"\n")
				defer l.end()
				time.Sleep(time.Minute)
				if got := destinations(saved(t, l.table)); got != tt.want {
					t.Errorf("destinations %q, want %q; the log:\n%s", got, tt.want, l.logged())
				}
			})
		})
	}
}

// An operator gives the entry of two real servers another weight. It stays while the
// entry is in service, whichever of the two comes and goes, and ends with the service.
func TestWeightOfOneEntryStays(t *testing.T) {
	for _, seen := range []bool{true, false} {
		t.Run(map[bool]string{true: "seen before", false: "seen after"}[seen], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := goLive(t, ipvs.NewMemory(), "driftcheck=5\ncheckinterval=5\nquiescent=yes\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n"+
					"    real=10.1.0.1:8001 gate 2\n    real=10.1.0.1:8002 gate 2\n    fallback=127.0.0.1:80 masq\n")
				defer l.end()
				time.Sleep(time.Minute)
				entries, err := l.table.Read()
				if err != nil {
					t.Fatal(err)
				}
				edit := ipvs.Change{Op: ipvs.EditDestination, Service: entries[0].Service, Destination: entries[0].Destinations[0]}
				edit.Destination.Weight = 7
				if err := l.table.Apply(edit); err != nil {
					t.Fatal(err)
				}
				if seen {
					time.Sleep(time.Minute)
				}
				for _, step := range []struct {
					down bool
					real string
					want string
				}{
					{true, "10.1.0.1:8001", "10.1.0.1:80 -w 7"},
					{false, "10.1.0.1:8001", "10.1.0.1:80 -w 7"},
					{true, "10.1.0.1:8002", "10.1.0.1:80 -w 7"},
					{true, "10.1.0.1:8001", "10.1.0.1:80 -w 0, 127.0.0.1:80 -w 1"},
					{false, "10.1.0.1:8002", "10.1.0.1:80 -w 2"},
				} {
					l.set(step.down, step.real)
					time.Sleep(time.Minute)
					if got := destinations(saved(t, l.table)); got != step.want {
						t.Errorf("%s down: %v: destinations %q, want %q; the log:\n%s", step.real, step.down, got, step.want, l.logged())
					}
				}
			})
		})
	}
}

// A noFallback refuses the fallback for as long as it is set.
type noFallback struct {
	*ipvs.Memory
	refuses atomic.Bool
}

func (n *noFallback) Apply(c ipvs.Change) error {
	if n.refuses.Load() && c.Destination.AddrPort.Addr().IsLoopback() {
		return errors.New("the kernel is out of memory")
	}
	return n.Memory.Apply(c)
}

// Of two real servers that are one entry, one is drained and the other one dies: as the
// last in service it stays until the kernel has the fallback, whichever of the two the
// entry was adopted for.
func TestOneEntryStaysForTheFallback(t *testing.T) {
	for _, drained := range []string{"10.1.0.1:8001", "10.1.0.1:8002"} {
		t.Run(drained, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := &noFallback{Memory: ipvs.NewMemory()}
				text := "checkinterval=5\nquiescent=yes\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n" +
					"    real=10.1.0.1:8001 gate 2\n    real=10.1.0.1:8002 gate 2\n    fallback=127.0.0.1:80 masq\n"
				l := goLive(t, table, text)
				defer l.end()
				time.Sleep(time.Minute)
				if _, _, err := l.d.Obey(t.Context(), report.Order{Verb: report.Drain, Real: drained, By: "alice"}); err != nil {
					t.Fatal(err)
				}
				l.reload(text)
				table.refuses.Store(true)
				l.set(true, "10.1.0.1:8001", "10.1.0.1:8002")
				time.Sleep(time.Minute)
				if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2"; got != want {
					t.Errorf("without the fallback: destinations %q, want %q; the log:\n%s", got, want, l.logged())
				}
				table.refuses.Store(false)
				time.Sleep(time.Minute)
				if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 0, 127.0.0.1:80 -w 1"; got != want {
					t.Errorf("with it: destinations %q, want %q", got, want)
				}
			})
		})
	}
}

// A lostAnswer makes deletions and reports them as failed, for as long as it is set.
type lostAnswer struct {
	*ipvs.Memory
	loses atomic.Bool
}

func (l *lostAnswer) Apply(c ipvs.Change) error {
	err := l.Memory.Apply(c)
	if l.loses.Load() && c.Op == ipvs.DeleteDestination {
		return errors.New("the kernel is out of memory")
	}
	return err
}

// The kernel has deleted a dead real server and reported a failure. It comes back with
// the small weight of slowstart: the fallback leaves when it is in the table, and not
// when it is believed to be.
func TestFallbackStaysForOneThatMayBeMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const real, fallback = "10.1.0.1:80", "127.0.0.1:80"
		table := &lostAnswer{Memory: ipvs.NewMemory()}
		var steps []string
		l := goLive(t, table, "checkinterval=5\ndriftcheck=60\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n    quiescent=no\n    slowstart=60\n"+
			"    real="+real+" masq 8\n    fallback="+fallback+" masq\n")
		defer l.end()
		time.Sleep(2 * time.Minute)
		table.loses.Store(true)
		l.set(true, real)
		table.loses.Store(false)
		table.OnChange = func(c ipvs.Change) { steps = append(steps, c.String()) }
		l.set(false, real)
		want := []string{"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1", "-d -t 10.0.0.1:80 -r 127.0.0.1:80"}
		if len(steps) < 2 || steps[0] != want[0] || steps[1] != want[1] {
			t.Errorf("the changes are %q, want %q first", steps, want)
		}
	})
}
