package director

import (
	"context"
	"errors"
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

// A weighing plays external checks with externalweight, by the exit statuses of two commands.
type weighing struct {
	t       *testing.T
	text    string // of the file, "" is that of one check
	mu      sync.Mutex
	status  map[string]int // by the last word of the check
	weights []string       // of 10.1.0.1, since the step began; "-" is a deletion
	kinds   []event.Kind
	table   *ipvs.Memory
	d       *Director
	end     func()
}

func newWeighing(t *testing.T, text string) *weighing {
	w := &weighing{t: t, text: text, status: map[string]int{}, table: ipvs.NewMemory()}
	w.table.OnChange = func(c ipvs.Change) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case c.Destination.Addr().String() != "10.1.0.1":
		case c.Op == ipvs.DeleteDestination:
			w.weights = append(w.weights, "-")
		default:
			w.weights = append(w.weights, fmt.Sprint(c.Destination.Weight))
		}
	}
	w.begin()
	return w
}

func (w *weighing) begin() {
	w.d = New(Options{
		Table: w.table,
		Sink: func(e event.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.kinds = append(w.kinds, e.Kind)
		},
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			w.mu.Lock()
			defer w.mu.Unlock()
			e, _ := c.(checker.External)
			switch status := w.status[e.Command.Reveal()]; {
			case status == 1:
				return engine.Result{Attempts: 1, Err: errors.New("exit status 1")}
			case status > 1 && e.Weighs:
				return engine.Result{Attempts: 1, Detail: fmt.Sprint("exit status ", status), Weighs: true, Weight: status - 2, Drains: status == 2}
			}
			return engine.Result{Attempts: 1}
		},
	})
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	cfg := configured(w.t, w.text)
	go func() { ended <- w.d.Run(ctx, cfg) }()
	<-w.d.Ready()
	w.end = func() { cancel(); <-ended }
}

// step does a step, waits, and returns the weights since.
func (w *weighing) step(what string) string {
	w.mu.Lock()
	w.weights, w.kinds = nil, nil
	w.mu.Unlock()
	verb, value, _ := strings.Cut(what, " ")
	switch verb {
	case "weight", "enable", "drain":
		o := report.Order{Verb: verb, Real: "10.1.0.1:80", By: "alice"}
		o.Weight, o.Percent, _ = report.ParseWeight(value)
		if _, _, err := w.d.Obey(w.t.Context(), o); err != nil {
			w.t.Fatal(err)
		}
	case "restart":
		w.end()
		w.begin()
	default: // /COMMAND STATUS
		w.mu.Lock()
		var status int
		_, _ = fmt.Sscan(value, &status)
		w.status[verb] = status
		w.mu.Unlock()
	}
	time.Sleep(time.Minute)
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.weights, " ")
}

func (w *weighing) why() string {
	reasons, err := w.d.Why(w.t.Context(), "10.1.0.1:80", "")
	if err != nil || len(reasons) == 0 {
		w.t.Fatal(err)
	}
	return reasons[0].Because
}

// The exit status of an external check sets the weight, beside orders, slowstart, quiescent,
// several checks and restarts. Each step has what happens, and the weights that the table gets.
func TestExternalWeight(t *testing.T) {
	const one = "    externalweight=yes\n    checktype=external\n    checkcommand=/a\n"
	const block = "check=a\n    checktype=external\n    checkcommand=/a\n    externalweight=yes\ncheck=b\n    checktype=external\n    checkcommand=/b\n    externalweight=yes\n"
	type step struct{ what, want string }
	for name, tt := range map[string]struct {
		before, in string
		steps      []step
	}{
		"the table of misc_dynamic": {"", one, []step{
			{"/a 0", ""}, {"/a 12", "10"}, {"/a 255", "253"}, {"/a 3", "1"}, {"/a 1", "-"}, {"/a 12", "10"}, {"/a 0", "50"}, {"/a 2", "0"}, {"/a 4", "2"},
		}},
		"off":                {"", "    checktype=external\n    checkcommand=/a\n", []step{{"/a 12", ""}, {"/a 1", "-"}}},
		"quiescent":          {"quiescent=yes\n", one, []step{{"/a 12", "10"}, {"/a 1", "0"}, {"/a 12", "10"}, {"/a 2", "0"}, {"/a 1", ""}, {"/a 0", "50"}}},
		"an order wins":      {"", one, []step{{"/a 12", "10"}, {"weight 8", "8"}, {"/a 22", ""}, {"/a 2", ""}, {"/a 7", ""}, {"enable", "5"}}},
		"an order over 2":    {"", one, []step{{"/a 2", "0"}, {"weight 8", "8"}, {"enable", "0"}, {"/a 0", "50"}}},
		"a share by order":   {"", one, []step{{"weight 50%", "25"}, {"/a 12", ""}, {"weight 1%", "1"}, {"weight 0%", "0"}, {"weight 200%", "100"}, {"enable", "10"}}},
		"drained by order":   {"", one, []step{{"drain", "0"}, {"/a 12", ""}, {"enable", "10"}}},
		"slowstart":          {"slowstart=10\n", one, []step{{"/a 1", "-"}, {"/a 12", "1 2 3 4 5 6 7 8 9 10"}}},
		"a restart":          {"", one, []step{{"/a 12", "10"}, {"restart", ""}, {"/a 2", "0"}, {"restart", ""}, {"/a 5", "3"}}},
		"a restart, failing": {"failurecount=3\n", one, []step{{"/a 12", "10"}, {"/a 1", "-"}, {"restart", ""}, {"/a 12", "10"}}},
		"several, the least": {block, "    checktype=on\n    alsocheck=a\n    alsocheck=b\n", []step{
			{"/a 12", "10"}, {"/b 7", "5"}, {"/a 1", "-"}, {"/a 4", "2"}, {"/a 0", "5"}, {"/b 2", "0"}, {"/b 0", "50"},
		}},
		"several, one is needed": {block, "    checktype=off\n    checktype=on\n    checksneeded=2\n    alsocheck=a\n    alsocheck=b\n", []step{
			{"/a 12", "10"}, {"/b 1", ""}, {"/a 14", "12"}, {"/a 1", "-"}, {"restart", ""}, {"/a 14", "12"},
		}},
		"several, a restart while one fails": {"quiescent=yes\n" + block, "    checktype=on\n    checksneeded=2\n    alsocheck=a\n    alsocheck=b\n", []step{
			{"/b 1", ""}, {"/a 1", "0"}, {"restart", ""}, {"/a 14", "12"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := tt.before
				if !strings.Contains(before, "quiescent") {
					before = "quiescent=no\n" + before
				}
				w := newWeighing(t, "checkinterval=10\ncleanstop=no\n"+before+"virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50\n"+tt.in+"    fallback=10.1.0.3:80 masq\n")
				time.Sleep(time.Minute)
				for i, s := range tt.steps {
					if diff := cmp.Diff(s.want, w.step(s.what)); diff != "" {
						t.Errorf("step %d, %s: weights (-want +got):\n%s", i+1, s.what, diff)
					}
				}
				w.end()
			})
		})
	}
}

// why names the exit status as the source of the weight, and self-drained with status 2, unless an
// order wins.
func TestExternalWeightIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWeighing(t, "checkinterval=10\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50\n    externalweight=yes\n    checktype=external\n    checkcommand=/a\n")
		time.Sleep(time.Minute)
		for _, tt := range []struct{ what, want string }{
			{"/a 12", "; weight 10 by its external check"},
			{"/a 2", "drained by its own answer: exit status 2"},
			{"weight 8", "ordered: weight 8"},
			{"enable", "drained by its own answer: exit status 2"},
			{"/a 0", "up since "},
		} {
			w.step(tt.what)
			if got := w.why(); !strings.Contains(got, tt.want) {
				t.Errorf("%s: why says %q, want %q in it", tt.what, got, tt.want)
			}
		}
		w.end()
	})
}

// An order for the weight ends a self-drain by exit status 2: a real server that dies in service is gone.
// When the order ends, the self-drain is known at once.
func TestOrderEndsDrainByWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWeighing(t, "checkinterval=10\nquiescent=no\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50\n    externalweight=yes\n    checktype=external\n    checkcommand=/a\n")
		time.Sleep(time.Minute)
		conditions := func() (list []report.Condition) {
			snap, err := w.d.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range snap.Virtuals[0].Reals[0].Conditions {
				list = append(list, c.Is)
			}
			return list
		}
		w.step("/a 2")
		w.step("weight 8")
		if got := w.step("/a 1"); got != "-" || !slices.Contains(w.kinds, event.Gone) || slices.Contains(w.kinds, event.DrainedDown) {
			t.Errorf("it died in service: weights %q, events %v, want it gone", got, w.kinds)
		}
		want := []report.Condition{report.ConditionUp, report.ConditionPlanned, report.ConditionUp, report.ConditionDown}
		if diff := cmp.Diff(want, conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		w.step("/a 0")
		w.step("/a 2") // the order wins
		if got := w.why(); !strings.HasPrefix(got, "up since ") {
			t.Errorf("an order wins: why says %q", got)
		}
		if _, _, err := w.d.Obey(t.Context(), report.Order{Verb: report.Enable, Real: "10.1.0.1:80", By: "alice"}); err != nil {
			t.Fatal(err)
		}
		if got := w.why(); !strings.HasPrefix(got, "drained by its own answer: exit status 2") || !slices.Contains(w.kinds, event.SelfDrained) {
			t.Errorf("the order ends: why says %q, events %v", got, w.kinds)
		}
		w.step("/a 12")
		if got := w.kinds; !slices.Contains(got, event.SelfDrainOver) {
			t.Errorf("it answers normally: events %v", got)
		}
		w.end()
	})
}

// An order for the weight wins over exit status 2 also where a reload has put the external check in the place of one
// that had drained the real server.
func TestOrderWinsOverDrainOfAnEarlierCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const head = "checkinterval=2\nvirtual=10.0.0.1:80\n    service=http\n    real=10.1.0.1:80 masq 5\n"
		table := ipvs.NewMemory()
		d := New(Options{Table: table, Sink: func(event.Event) {}, Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			if strings.HasPrefix(c.String(), "external") {
				return engine.Result{Attempts: 1, Detail: "exit status 2, weight 0", Weighs: true, Drains: true}
			}
			return engine.Result{Attempts: 1, Detail: "404 Not Found", Drains: true}
		}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, configured(t, head+"    httpdrain=404\n")) }()
		defer func() { cancel(); <-ended }()
		time.Sleep(time.Minute)
		if _, _, err := d.Obey(ctx, report.Order{Verb: report.Weight, Weight: 7, Real: "10.1.0.1:80", By: "alice"}); err != nil {
			t.Fatal(err)
		}
		if err := d.Reload(ctx, configured(t, head+"    checktype=external\n    checkcommand=/a\n    externalweight=yes\n")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		entries, err := table.Read()
		if err != nil {
			t.Fatal(err)
		}
		if dst := entries[0].Destinations; len(dst) != 1 || dst[0].Weight != 7 {
			t.Errorf("destinations %+v, want one of weight 7", dst)
		}
	})
}

// A reload that changes the external check of a real server whose weight climbs (slowstart) leaves the weight as it is
// until the first answer, also where it is more than that share of the weight of the file.
func TestReloadWhileWeightByStatusClimbs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWeighing(t, "checkinterval=10\nslowstart=600\nquiescent=no\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 1\n    externalweight=yes\n    checktype=external\n    checkcommand=/a\n")
		w.step("/b 102")
		w.step("/a 1")
		if got := w.step("/a 102"); !strings.HasPrefix(got, "10") {
			t.Fatalf("it climbs: weights %q, want 10 first", got)
		}
		time.Sleep(5 * time.Second) // between two steps up
		w.mu.Lock()
		w.weights = nil
		w.mu.Unlock()
		if err := w.d.Reload(t.Context(), configured(t, strings.Replace(w.text, "/a", "/b", 1))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.mu.Lock()
		got := strings.Join(w.weights, " ")
		w.mu.Unlock()
		if got != "" {
			t.Errorf("the reload has written the weights %q", got)
		}
		w.end()
	})
}
