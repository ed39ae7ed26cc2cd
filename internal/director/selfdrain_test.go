package director

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// The answers of a check.
var (
	normal = engine.Result{Attempts: 1}
	drains = engine.Result{Attempts: 1, Detail: "404 Not Found", Drains: true}
	broken = engine.Result{Attempts: 1, Err: errors.New("exit status 1")}
)

// A draining is a director in a bubble of synctest that has one real server, of weight 5, and what its checks answer.
type draining struct {
	t     *testing.T
	table *ipvs.Memory

	mu      sync.Mutex // of what follows, and of what answer reads
	kinds   []event.Kind
	weights []int // those that were written
}

// drain runs a director until the end of the test; answer is called with the words of a check.
func drain(t *testing.T, text string, answer func(check string) engine.Result) *draining {
	t.Helper()
	g := &draining{t: t, table: ipvs.NewMemory()}
	g.table.OnChange = func(c ipvs.Change) {
		g.set(func() {
			if c.Destination.Addr().IsValid() {
				g.weights = append(g.weights, c.Destination.Weight)
			}
		})
	}
	d := New(Options{
		Table: g.table,
		Sink:  func(e event.Event) { g.set(func() { g.kinds = append(g.kinds, e.Kind) }) },
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) (r engine.Result) {
			g.set(func() { r = answer(c.String()) })
			return r
		},
	})
	cfg := configured(t, text)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, cfg) }()
	t.Cleanup(func() { cancel(); <-ended })
	time.Sleep(time.Minute)
	return g
}

// set calls f while nothing is answered or reported.
func (g *draining) set(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// weight is that of the real server in the table.
func (g *draining) weight() int {
	g.t.Helper()
	entries, err := g.table.Read()
	if err != nil || len(entries[0].Destinations) != 1 {
		g.t.Fatalf("%v %v", entries, err)
	}
	return entries[0].Destinations[0].Weight
}

// drainText is a virtual service whose own check drains the real server with 404, and that also has the check app.
func drainText(outside, app string) string {
	return "checkinterval=5\n" + outside + "check=app\n" + app + "virtual=10.0.0.1:80\n    service=http\n    request=\"/own\"\n    httpdrain=404\n    alsocheck=app\n    real=10.1.0.1:80 masq 5\n"
}

const appCommand = "    checktype=external\n    checkcommand=/app\n"

// A real server that drained itself while another of its checks was down is reported as drained when that brings it up,
// and its weight climbs (slowstart) from its first normal answer on.
func TestDrainBeforeItIsUpIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		appWorks, isUp := false, false // and that it has said so
		g := drain(t, drainText("slowstart=10\n", appCommand), func(check string) engine.Result {
			switch isApp := strings.HasPrefix(check, "external"); {
			case isApp && !appWorks:
				return broken
			case isApp:
				isUp = true
			case !isUp:
				return drains
			}
			return normal
		})
		g.set(func() { g.kinds, g.weights, appWorks = nil, nil, true })
		time.Sleep(time.Minute)
		g.set(func() {
			if !slices.Contains(g.kinds, event.SelfDrained) || !slices.Contains(g.kinds, event.SelfDrainOver) {
				t.Errorf("it was up and drained in between: events %v, want self-drained and self-drain over", g.kinds)
			}
			if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(g.weights, want) {
				t.Errorf("weights %v, want %v", g.weights, want)
			}
		})
	})
}

// Of two checks that both drain a real server each has to answer normally before it gets connections again, whichever
// answered last.
func TestDrainedByTwoChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, app := drains, drains
		g := drain(t, drainText("", "    service=http\n    request=\"/app\"\n    httpdrain=404\n    checkinterval=60\n"), func(check string) engine.Result {
			if strings.HasSuffix(check, "/app") {
				return app
			}
			return own
		})
		time.Sleep(time.Minute)
		g.set(func() { own = normal })
		for range 24 { // /own answers each 5 seconds, /app each minute
			time.Sleep(5 * time.Second)
			if got := g.weight(); got != 0 {
				t.Fatalf("one of the checks still drains it: weight %d", got)
			}
		}
		over := false
		g.set(func() { over, app = slices.Contains(g.kinds, event.SelfDrainOver), normal })
		time.Sleep(2 * time.Minute)
		if got := g.weight(); over || got != 5 {
			t.Errorf("none drains it any more: weight %d, and it was reported before: %v", got, over)
		}
	})
}

// A real server that minalive keeps in service although its checks fail gets weight 0 when its own answer wants no new
// connections, as one that is up does.
func TestKeptDrainsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, app := normal, normal
		g := drain(t, drainText("minalive=1\n", appCommand), func(check string) engine.Result {
			if strings.HasPrefix(check, "external") {
				return app
			}
			return own
		})
		for _, step := range []struct {
			what string
			do   func()
			want int
		}{
			{"minalive keeps it", func() { app = broken }, 5},
			{"its own answer drains it", func() { own = drains }, 0},
			{"it answers normally again", func() { own = normal }, 5},
		} {
			g.set(step.do)
			time.Sleep(time.Minute)
			if got := g.weight(); got != step.want {
				t.Errorf("%s: weight %d, want %d", step.what, got, step.want)
			}
		}
	})
}

// A real server that drained itself while another of its checks was down has its weight with the first normal answer,
// also if it was up and drained only in between.
func TestDrainThatWasNotReportedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		appWorks, isUp := false, false // and that it has said so
		g := drain(t, drainText("driftcheck=0\n", appCommand), func(check string) engine.Result {
			switch isApp := strings.HasPrefix(check, "external"); {
			case !isApp && isUp:
				return normal
			case !isApp:
				return drains
			case !appWorks:
				return broken
			}
			isUp = true
			return normal
		})
		g.set(func() { appWorks = true })
		time.Sleep(time.Minute)
		if got := g.weight(); got != 5 {
			t.Errorf("weight %d, want 5", got)
		}
	})
}
