package director

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
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

// A beside plays a real server with a check and an agent beside it.
type beside struct {
	t     *testing.T
	text  string
	mu    sync.Mutex
	says  string // the agent's line, "" is that it does not answer
	fails bool   // the check
	asked int    // questions to the agent
	got   []string
	kinds map[event.Kind]int
	table *ipvs.Memory
	d     *Director
	end   func()
}

func (b *beside) begin() {
	b.d = New(Options{
		Table: b.table,
		Sink: func(e event.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.kinds[e.Kind]++
		},
		Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			b.mu.Lock()
			defer b.mu.Unlock()
			a, isAgent := c.(checker.Agent)
			switch {
			case !isAgent && b.fails:
				return engine.Result{Attempts: 1, Err: errors.New("connection refused")}
			case !isAgent:
				return engine.Result{Attempts: 1}
			}
			if want := netip.MustParseAddrPort("10.1.0.1:9000"); a.Addr != want || a.Request != "/hello\\n" {
				b.t.Errorf("the agent is %+v, want %s, and hello", a, want)
			}
			b.asked++
			if b.says == "" {
				return engine.Result{Attempts: 1, Err: errors.New("connection refused")}
			}
			talk := a.Dialogue()
			talk.Next(nil, false)
			end := talk.Next([]byte(b.says+"\n"), false)
			return engine.Result{Attempts: 1, Detail: end.Detail, Err: end.Err}
		},
	})
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	cfg := configured(b.t, b.text)
	go func() { ended <- b.d.Run(ctx, cfg) }()
	<-b.d.Ready()
	b.end = func() { cancel(); <-ended }
}

func newBeside(t *testing.T, says, before, in string) *beside {
	b := &beside{t: t, says: says, kinds: map[event.Kind]int{}, table: ipvs.NewMemory()}
	b.text = "checkinterval=10\ncleanstop=no\n" + before + "agentsend=\"hello\\n\"\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50\n" +
		"    checktype=connect\n    agentport=9000\n    agentinterval=2\n" + in + "    fallback=10.1.0.3:80 masq\n"
	b.table.OnChange = func(c ipvs.Change) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch {
		case c.Destination.Addr().String() != "10.1.0.1":
		case c.Op == ipvs.DeleteDestination:
			b.got = append(b.got, "-")
		default:
			b.got = append(b.got, fmt.Sprint(c.Destination.Weight))
		}
	}
	b.begin()
	time.Sleep(time.Minute)
	return b
}

// step does a step, and returns the weights since.
func (b *beside) step(what string) string {
	b.mu.Lock()
	b.got = nil
	word, says, _ := strings.Cut(what, " ")
	switch word {
	case "agent":
		b.says = says
	case "fails", "succeeds":
		b.fails = word == "fails"
	}
	b.mu.Unlock()
	switch word {
	case "restart":
		b.end()
		b.begin()
	case "reload":
		if err := b.d.Reload(b.t.Context(), configured(b.t, strings.Replace(b.text, "masq 50", says, 1))); err != nil {
			b.t.Fatal(err)
		}
	case "weight", "enable":
		o := report.Order{Verb: word, Real: "10.1.0.1:80", By: "alice"}
		o.Weight, o.Percent, _ = report.ParseWeight(says)
		if _, _, err := b.d.Obey(b.t.Context(), o); err != nil {
			b.t.Fatal(err)
		}
	}
	time.Sleep(time.Minute)
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.got, " ")
}

func (b *beside) stateOfAgent() report.State {
	snap, err := b.d.Snapshot(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	list := snap.Virtuals[0].Reals[0].EachCheck
	return list[len(list)-1].State
}

func (b *beside) why() string {
	reasons, err := b.d.Why(b.t.Context(), "10.1.0.1:80", "")
	if err != nil || len(reasons) == 0 {
		b.t.Fatal(err)
	}
	return reasons[0].Because
}

// An agent beside the check has its say on weight and verdict; one that does not answer changes
// nothing.
func TestAgentBeside(t *testing.T) {
	type step struct{ what, want string }
	for name, tt := range map[string]struct {
		says, before, in string
		steps            []step
	}{
		"HAProxy's words": {"up", "", "", []step{
			{"agent 50%", "25"},
			{"agent maxconn:9 50%", "25"},
			{"agent drain", "0"},
			{"agent ready", "50"},
			{"agent maint", "-"},
			{"agent up", "50"},
			{"agent down # disk", "-"},
			{"agent 75%", "37"},
		}},
		"silence changes nothing":    {"50%", "", "", []step{{"agent ", ""}, {"fails", "-"}, {"succeeds", "25"}, {"agent what?", ""}, {"agent down", "-"}, {"agent ", ""}, {"agent up", "50"}}},
		"never there":                {"", "quiescent=yes\n", "", []step{{"fails", "0"}, {"succeeds", "50"}, {"reload masq 60", "60"}, {"weight 8", "8"}, {"enable", "60"}, {"agent 50%", "30"}}},
		"never there, slowstart":     {"", "slowstart=20\n", "", []step{{"fails", "-"}, {"succeeds", "5 10 15 20 25 30 35 40 45 50"}}},
		"the check still decides":    {"up", "", "", []step{{"fails", "-"}, {"agent up", ""}, {"agent down", ""}, {"succeeds", ""}, {"agent up", "50"}}},
		"a restart":                  {"50%", "", "", []step{{"restart", ""}, {"agent up", "50"}, {"agent drain", "0"}, {"restart", ""}, {"agent 10%", "5"}}},
		"a restart, quiescent":       {"drain", "quiescent=yes\n", "", []step{{"restart", ""}, {"agent ", ""}, {"restart", "50"}}},
		"a reload":                   {"50%", "", "", []step{{"reload masq 60", "30"}, {"agent down", "-"}, {"reload masq 50", ""}, {"agent up", "50"}}},
		"an order":                   {"50%", "", "", []step{{"weight 8", "4"}, {"weight 50%", "12"}, {"enable", "25"}}},
		"without a check of its own": {"50%", "", "    checktype=on\n", []step{{"agent down", "-"}, {"agent up", "50"}, {"agent ", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := tt.before
				if !strings.Contains(before, "quiescent") {
					before += "quiescent=no\n"
				}
				b := newBeside(t, tt.says, before, tt.in)
				for i, s := range tt.steps {
					if diff := cmp.Diff(s.want, b.step(s.what)); diff != "" {
						t.Errorf("step %d, %s: weights (-want +got):\n%s\n%s", i+1, s.what, diff, b.why())
					}
				}
				b.end()
			})
		})
	}
}

// The agent is asked at its own interval, why names what it says, and its words are reported like
// those of a check.
func TestAgentBesideIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBeside(t, "", "", "")
		for _, tt := range []struct {
			what, want string
			state      report.State
		}{
			{"agent ", "its agent does not answer, which changes nothing (", report.StateUnchecked},
			{"agent 50% maxconn:7", "; its agent says up 50% maxconn:7; at most 7 connections", report.StateUp},
			{"agent ", "its agent does not answer, which changes nothing (", report.StateUp},
			{"agent drain", "drained by its own answer: up 0%", report.StateUp},
			{"agent down # disk", `down by its agent: agent reports "down # disk"`, report.StateDown},
			{"agent ", "down by what its agent said before, it does not answer now (connection refused)", report.StateDown},
			{"agent hello\x1b", `down by what its agent said before, it answers nonsense now (no words of an agent: "hello\x1b")`, report.StateDown},
			{"agent up", "; its agent says up 100%", report.StateUp},
			{"agent hello", `its agent answers nonsense, which changes nothing (no words of an agent: "hello")`, report.StateUp},
			{"agent down", "down by its agent", report.StateDown},
		} {
			b.step(tt.what)
			if got := b.why(); !strings.Contains(got, tt.want) {
				t.Errorf("%s: why says %q, want %q in it", tt.what, got, tt.want)
			}
			if got := b.stateOfAgent(); got != tt.state {
				t.Errorf("%s: the check agent is %q, want %q", tt.what, got, tt.state)
			}
		}
		reasons, err := b.d.Why(t.Context(), "10.1.0.1:80", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range reasons[0].Answers {
			if want := a.Check == "agent" && a.Text != `agent reports "down"`; a.Silent != want {
				t.Errorf("the answer %+v: silent is %t, want %t", a, a.Silent, want)
			}
		}
		b.mu.Lock()
		before := b.asked
		b.mu.Unlock()
		time.Sleep(time.Minute)
		snap, err := b.d.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.mu.Lock()
		if asked := b.asked - before; asked < 29 || asked > 31 {
			t.Errorf("the agent was asked %d times in a minute, want 30", asked)
		}
		if b.kinds[event.SelfDrained] != 1 || b.kinds[event.DrainedDown] != 1 || b.kinds[event.NotAsked] != 0 || b.kinds[event.SoftFailure] != 0 {
			t.Errorf("the events are %v", b.kinds)
		}
		b.mu.Unlock()
		list := snap.Virtuals[0].Reals[0].EachCheck
		if len(list) != 2 || list[1].Name != "agent" || list[1].State != report.StateDown || list[0].State != report.StateUp {
			t.Errorf("the checks are %+v, want connect up, agent down", list)
		}
		b.end()
	})
}

// A real server whose agent's first word is down is not waited for: the backup server comes in.
func TestAgentThatSaysDownFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		d := New(Options{Table: table, Sink: func(event.Event) {}, Ask: func(_ context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
			a, isAgent := c.(checker.Agent)
			switch {
			case !isAgent:
				return engine.Result{Attempts: 1}
			case a.Addr.Addr() == netip.MustParseAddr("10.1.0.1"):
				return engine.Result{Attempts: 1, Detail: "down 100%", Err: errors.New("the agent says down")}
			}
			return engine.Result{Attempts: 1, Detail: "up 100%"}
		}})
		cfg := configured(t, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    backup=10.1.0.2:80 masq\n    fallback=127.0.0.1:80 masq\n    agentport=9000\n")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, cfg) }()
		defer func() { cancel(); <-ended }()
		time.Sleep(time.Minute)
		entries, err := table.Read()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries[0].Destinations {
			got = append(got, fmt.Sprintf("%s=%d", e.AddrPort, e.Weight))
		}
		if diff := cmp.Diff([]string{"10.1.0.2:80=1"}, got); diff != "" {
			t.Errorf("destinations (-want +got):\n%s", diff)
		}
	})
}

// An agent that takes its real server for down has answered: when it cannot be asked any more, the entry stays as it is.
func TestSilenceAfterDownChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBeside(t, "down", "quiescent=yes\n", "")
		b.step("reload masq 50 u:30")
		b.step("reload masq 50 u:40")
		if got := b.step("agent "); got != "" {
			t.Errorf("the agent said down, and does not answer any more: weights %q were written", got)
		}
		b.end()
	})
}
