package director

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// What an agent says counts from the first moment that its real server is in the
// table: at a start, at each return, after a restart, beside slowstart and beside
// orders. Each step sets what the agent says, and gives an order; weights are
// those of every change of the table, in their order; "-" is a deletion.
func TestAgentsWeights(t *testing.T) {
	type step = agentStep
	tests := map[string]struct {
		slowstart int
		steps     []agentStep
	}{
		"drain at the start":        {0, []step{{says: "drain", want: "0"}, {says: "up", want: "50"}}},
		"a percentage at the start": {0, []step{{says: "50%", want: "25"}}},
		"drain at a return":         {0, []step{{says: "up", want: "50"}, {says: "down", want: "-"}, {says: "0%", want: "0"}}},
		"a percentage at a return":  {0, []step{{says: "up", want: "50"}, {says: "down", want: "-"}, {says: "50%", want: "25"}}},
		"slowstart up to the share": {20, []step{{says: "50%", want: "5 10 15 20 25"}}},
		"slowstart of a drain":      {20, []step{{says: "drain", want: "0"}, {says: "up", want: "50"}}},
		"slowstart beyond 100 %":    {20, []step{{says: "200%", want: "5 10 15 20 25 30 35 40 45 100"}}},
		"an order and a share":      {0, []step{{says: "50%", order: "weight 8", want: "25 4"}, {says: "25%", want: "2"}, {order: "enable", want: "12"}}},
		"a restart keeps a share":   {0, []step{{says: "50%", want: "25"}, {restart: true, want: ""}, {says: "up", want: "50"}}},
		"a restart keeps a drain":   {0, []step{{says: "drain", want: "0"}, {restart: true, want: ""}, {says: "up", want: "50"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playAgent(t, tt.slowstart, tt.steps) })
		})
	}
}

type agentStep struct {
	says, order string
	restart     bool
	want        string
}

func playAgent(t *testing.T, slowstart int, steps []agentStep) {
	var mu sync.Mutex // of the next ones
	says, got := "down", []string{}
	table := ipvs.NewMemory()
	table.OnChange = func(c ipvs.Change) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.Destination.Addr().String() != "10.1.0.1":
		case c.Op == ipvs.DeleteDestination:
			got = append(got, "-")
		default:
			got = append(got, fmt.Sprint(c.Destination.Weight))
		}
	}
	begin := func() (*Director, func()) {
		d := New(Options{
			Table: table,
			Sink:  func(event.Event) {},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				mu.Lock()
				defer mu.Unlock()
				if r, err := checker.ParseAgent(says); err != nil || !r.Up {
					return engine.Result{Attempts: 1, Err: fmt.Errorf("agent says %s", says)}
				}
				return engine.Result{Attempts: 1, Detail: says}
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		text := "checkinterval=10\nquiescent=no\ncleanstop=no\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50\n" +
			"    checktype=agent\n    checkport=9000\n    fallback=10.1.0.3:80 masq\n"
		if slowstart > 0 {
			text = fmt.Sprintf("slowstart=%d\n", slowstart) + text
		}
		go func() { ended <- d.Run(ctx, configured(t, text)) }()
		<-d.Ready()
		time.Sleep(time.Minute)
		return d, func() { cancel(); <-ended }
	}
	d, end := begin()
	for i, s := range steps {
		mu.Lock()
		got = nil
		if s.says != "" {
			says = s.says
		}
		mu.Unlock()
		if s.restart {
			end()
			d, end = begin()
		}
		time.Sleep(time.Minute)
		if verb, weight, _ := strings.Cut(s.order, " "); verb != "" {
			o := report.Order{Verb: verb, Real: "10.1.0.1:80", By: "alice"}
			_, _ = fmt.Sscan(weight, &o.Weight)
			if _, _, err := d.Obey(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		mu.Lock()
		weights := strings.Join(got, " ")
		mu.Unlock()
		if diff := cmp.Diff(s.want, weights); diff != "" {
			t.Errorf("step %d, the agent says %q: weights (-want +got):\n%s", i+1, says, diff)
		}
		in := strings.Contains(table.String(), "10.1.0.3:80")
		if drained := strings.Contains(table.String(), "10.1.0.1:80 -m -w 0"); in != (drained || says == "down") {
			t.Errorf("step %d: the fallback is in: %v\n%s", i+1, in, table)
		}
	}
	end()
}

// A real server fails while it climbs, and minalive keeps it: when it comes back its weight does not
// fall, as it served all the time.
func TestKeptDoesNotClimbAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		f := &flapper{t: t, table: table, broken: map[string]bool{}}
		f.text = "checkinterval=1\ncleanstop=no\nslowstart=100\nminalive=1\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 100\n"
		var mu sync.Mutex // of weights
		var weights []int
		table.OnChange = func(c ipvs.Change) {
			mu.Lock()
			defer mu.Unlock()
			weights = append(weights, c.Destination.Weight)
		}
		f.begin()
		time.Sleep(35 * time.Second)
		f.flaps("1", 1)
		time.Sleep(2 * time.Minute)
		f.end()
		mu.Lock()
		defer mu.Unlock()
		if !slices.IsSorted(weights) || weights[len(weights)-1] != 100 || slices.Contains(weights, 50) {
			t.Errorf("the weights are %v, want them to climb to 40, and then to be 100", weights)
		}
	})
}

// Two real servers are one entry of the kernel, and both come back, one after the other: while the entry is in
// service with all of its weight by one of them, it does not fall for the other one.
func TestOneEntryDoesNotClimbAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		var mu sync.Mutex // of weights
		var weights []int
		table.OnChange = func(c ipvs.Change) {
			mu.Lock()
			defer mu.Unlock()
			if c.Op > ipvs.DeleteService {
				weights = append(weights, c.Destination.Weight)
			}
		}
		const first, second = "10.1.0.1:8080", "10.1.0.1:8081"
		l := goLive(t, table, "checkinterval=1\nvirtual=10.0.0.1:80\n    real="+first+" gate 100\n    real="+second+" gate 100\n    service=http\n    slowstart=10\n", first, second)
		defer l.end()
		for _, back := range []string{second, first} {
			time.Sleep(time.Minute)
			l.set(false, back)
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if want := []int{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}; !slices.Equal(weights, want) {
			t.Errorf("the weights are %v, want %v", weights, want)
		}
	})
}
