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

// A real server that drained itself while another of its checks was down is reported as drained when that brings it up,
// and its weight climbs (slowstart) from its first normal answer on.
func TestDrainBeforeItIsUpIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		appWorks, isUp := false, false // and that it has said so
		var kinds []event.Kind
		var weights []int
		table := ipvs.NewMemory()
		table.OnChange = func(c ipvs.Change) {
			mu.Lock()
			defer mu.Unlock()
			if c.Destination.Addr().IsValid() {
				weights = append(weights, c.Destination.Weight)
			}
		}
		d := New(Options{Table: table, Sink: func(e event.Event) {
			mu.Lock()
			defer mu.Unlock()
			kinds = append(kinds, e.Kind)
		}, Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			mu.Lock()
			defer mu.Unlock()
			switch isApp := strings.HasPrefix(c.String(), "external"); {
			case isApp && !appWorks:
				return engine.Result{Attempts: 1, Err: errors.New("exit status 1")}
			case isApp:
				isUp = true
			case !isUp:
				return engine.Result{Attempts: 1, Detail: "404 Not Found", Drains: true}
			}
			return engine.Result{Attempts: 1}
		}})
		cfg := configured(t, "checkinterval=5\nslowstart=10\ncheck=app\n    checktype=external\n    checkcommand=/app\nvirtual=10.0.0.1:80\n    service=http\n    httpdrain=404\n    alsocheck=app\n    real=10.1.0.1:80 masq 5\n")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, cfg) }()
		defer func() { cancel(); <-ended }()
		time.Sleep(time.Minute)
		mu.Lock()
		kinds, weights, appWorks = nil, nil, true
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(kinds, event.SelfDrained) || !slices.Contains(kinds, event.SelfDrainOver) {
			t.Errorf("it was up and drained in between: events %v, want self-drained and self-drain over", kinds)
		}
		if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(weights, want) {
			t.Errorf("weights %v, want %v", weights, want)
		}
	})
}

// Of two checks that both drain a real server each has to answer normally before it gets connections again, whichever
// answered last.
func TestDrainedByTwoChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		drains := map[string]bool{"/own": true, "/app": true}
		var kinds []event.Kind
		table := ipvs.NewMemory()
		d := New(Options{Table: table, Sink: func(e event.Event) {
			mu.Lock()
			defer mu.Unlock()
			kinds = append(kinds, e.Kind)
		}, Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			mu.Lock()
			defer mu.Unlock()
			for request, is := range drains {
				if is && strings.HasSuffix(c.String(), request) {
					return engine.Result{Attempts: 1, Detail: "404 Not Found", Drains: true}
				}
			}
			return engine.Result{Attempts: 1}
		}})
		cfg := configured(t, "checkinterval=5\ncheck=app\n    service=http\n    request=\"/app\"\n    httpdrain=404\n    checkinterval=60\nvirtual=10.0.0.1:80\n    service=http\n    request=\"/own\"\n    httpdrain=404\n    alsocheck=app\n    real=10.1.0.1:80 masq 5\n")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, cfg) }()
		defer func() { cancel(); <-ended }()
		weight := func() int {
			entries, err := table.Read()
			if err != nil || len(entries[0].Destinations) != 1 {
				t.Fatalf("%v %v", entries, err)
			}
			return entries[0].Destinations[0].Weight
		}
		time.Sleep(2 * time.Minute)
		mu.Lock()
		delete(drains, "/own")
		mu.Unlock()
		for range 24 { // /own answers each 5 seconds, /app each minute
			time.Sleep(5 * time.Second)
			if got := weight(); got != 0 {
				t.Fatalf("one of the checks still drains it: weight %d", got)
			}
		}
		mu.Lock()
		over := slices.Contains(kinds, event.SelfDrainOver)
		delete(drains, "/app")
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		if got := weight(); over || got != 5 {
			t.Errorf("none drains it any more: weight %d, and it was reported before: %v", got, over)
		}
	})
}

// A real server that minalive keeps in service although its checks fail gets weight 0 when its own answer wants no new
// connections, as one that is up does.
func TestKeptDrainsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		appFails, drains := false, false
		table := ipvs.NewMemory()
		d := New(Options{Table: table, Sink: func(event.Event) {}, Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			mu.Lock()
			defer mu.Unlock()
			switch isApp := strings.HasPrefix(c.String(), "external"); {
			case isApp && appFails:
				return engine.Result{Attempts: 1, Err: errors.New("exit status 1")}
			case !isApp && drains:
				return engine.Result{Attempts: 1, Detail: "404 Not Found", Drains: true}
			}
			return engine.Result{Attempts: 1}
		}})
		cfg := configured(t, "checkinterval=5\nminalive=1\ncheck=app\n    checktype=external\n    checkcommand=/app\nvirtual=10.0.0.1:80\n    service=http\n    httpdrain=404\n    alsocheck=app\n    real=10.1.0.1:80 masq 5\n")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, cfg) }()
		defer func() { cancel(); <-ended }()
		time.Sleep(time.Minute)
		for _, step := range []struct {
			what string
			do   func()
			want int
		}{
			{"minalive keeps it", func() { appFails = true }, 5},
			{"its own answer drains it", func() { drains = true }, 0},
			{"it answers normally again", func() { drains = false }, 5},
		} {
			mu.Lock()
			step.do()
			mu.Unlock()
			time.Sleep(time.Minute)
			entries, err := table.Read()
			if err != nil {
				t.Fatal(err)
			}
			if dst := entries[0].Destinations; len(dst) != 1 || dst[0].Weight != step.want {
				t.Errorf("%s: destinations %+v, want one of weight %d", step.what, dst, step.want)
			}
		}
	})
}
