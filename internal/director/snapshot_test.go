package director

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// manyReals is a configuration with virtual services of 100 real servers each.
func manyReals(tb testing.TB, virtuals int) *conf.Config {
	tb.Helper()
	var b strings.Builder
	for i := range virtuals {
		fmt.Fprintf(&b, "virtual=10.0.%d.%d:80\n    service=http\n    real=10.%d.0.1->10.%d.0.100:80 masq\n", i/250, i%250+1, i%250+1, i%250+1)
	}
	cfg, err := conf.Parse("many.cf", []byte(b.String()), conf.Options{Hostname: "director"})
	if err != nil {
		tb.Fatal(err)
	}
	return cfg
}

// runMany runs a director in which all of manyReals have answered.
func runMany(tb testing.TB, virtuals int) *Director {
	tb.Helper()
	d := New(Options{
		Table: ipvs.NewMemory(),
		Sink:  func(event.Event) {},
		Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
			return engine.Result{Attempts: 1, Took: 3 * time.Millisecond, Detail: "HTTP/1.1 200 OK"}
		},
	})
	ctx, cancel := context.WithCancel(tb.Context())
	ended := make(chan error, 1)
	cfg := manyReals(tb, virtuals)
	cfg.CheckRate = 1 << 20
	go func() { ended <- d.Run(ctx, cfg) }()
	tb.Cleanup(func() { cancel(); <-ended })
	<-d.Ready()
	awaitReady(tb, d)
	return d
}

// A snapshot survives its way through JSON: what the commands show is what the
// daemon knows.
func TestSnapshotJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		d := New(Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}, Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
			return engine.Result{Took: 1500 * time.Millisecond, Detail: "fine"}
		}})
		go func() { _ = d.Run(ctx, manyReals(t, 1)) }()
		time.Sleep(20 * time.Second)
		if _, _, err := d.Obey(ctx, report.Order{Verb: report.Drain, Real: "10.1.0.7", For: time.Hour, By: "alice"}); err != nil {
			t.Fatal(err)
		}
		s, err := d.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Ready || s.State != "running" || s.Virtuals[0].In != 99 || s.Virtuals[0].Reals[6].State != report.StateDrained {
			t.Errorf("ready %v, %s, %d in, the 7th is %s: want all but the 7th in", s.Ready, s.State, s.Virtuals[0].In, s.Virtuals[0].Reals[6].State)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got report.Snapshot
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(text), string(again)); diff != "" {
			t.Errorf("after the way through JSON (-want +got):\n%s", diff)
		}
		cancel()
		synctest.Wait()
		time.Sleep(5 * time.Second)
	})
}

// TestSnapshotOff is about real servers that are never checked, as the file says: they are
// not unchecked, which ends.
func TestSnapshotOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cfg, err := conf.Parse("t.cf", []byte("virtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n\tchecktype=off\n"), conf.Options{Hostname: "director"})
		if err != nil {
			t.Fatal(err)
		}
		d := New(Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}})
		go func() { _ = d.Run(ctx, cfg) }()
		time.Sleep(20 * time.Second)
		s, err := d.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r := s.Virtuals[0].Reals[0]
		if r.State != "off" || r.OutReason != "off" || r.InService || r.Up || !r.Unchecked {
			t.Errorf("state %s, out by %s, in service %v, up %v, unchecked %v; want off, by off, and never checked", r.State, r.OutReason, r.InService, r.Up, r.Unchecked)
		}
		reasons, err := d.Why(ctx, "10.1.0.1", "")
		if err != nil || len(reasons) != 1 || reasons[0].State != "off" || !reasons[0].Since.IsZero() {
			t.Errorf("why says %+v, %v; want the state off without a beginning", reasons, err)
		}
		cancel()
		synctest.Wait()
	})
}

func TestPlanStart(t *testing.T) {
	table := ipvs.NewMemory()
	cfg := manyReals(t, 2)
	plan, err := PlanStart(Options{Table: table}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody has proved anything yet: only the services are added.
	want := []string{"-A -t 10.0.0.1:80 -s wrr", "-A -t 10.0.0.2:80 -s wrr"}
	var got []string
	for _, c := range plan.Changes {
		got = append(got, c.String())
		if err := table.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("for an empty table (-want +got):\n%s", diff)
	}
	if plan, err = PlanStart(Options{Table: table}, cfg); err != nil || len(plan.Changes) != 0 {
		t.Errorf("once that is done there is %v, %v to do", plan, err)
	}
}

// TestPlanStartRemoves has a service in the table that an earlier daemon has left and
// that the file does not name: a start removes it.
func TestPlanStartRemoves(t *testing.T) {
	table := ipvs.NewMemory()
	left := leave(t, Options{Table: table}, "virtual = 10.0.0.1:80\n    checktype = on\nvirtual = 10.0.0.2:80\n    checktype = on\n")
	cfg, err := conf.Parse("t.cf", []byte("virtual = 10.0.0.1:80\n    checktype = on\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := PlanStart(Options{Table: table, Ours: left.Held()}, cfg)
	if err != nil || len(plan.Changes) != 1 || plan.Changes[0].String() != "-D -t 10.0.0.2:80" {
		t.Errorf("the plan is %v, %v, want -D -t 10.0.0.2:80", plan, err)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	d := runMany(b, 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
