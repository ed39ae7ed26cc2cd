package director

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A good answer counts as a failure when its last attempt took longer than slowlimit, and
// why names both times.
func TestSlowLimit(t *testing.T) {
	for _, tt := range []struct {
		limit      string
		took, last time.Duration
		want       string // the result, "" is up
	}{
		{"none", 9 * time.Second, 9 * time.Second, ""},
		{"800ms", 800 * time.Millisecond, 800 * time.Millisecond, ""},
		{"800ms", 900 * time.Millisecond, 900 * time.Millisecond, "answered in 900ms, slowlimit is 800ms"},
		{"800ms", 801 * time.Millisecond, 800200 * time.Microsecond, "answered in 800.2ms, slowlimit is 800ms"},
		{"800ms", 5 * time.Second, 700 * time.Millisecond, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg, err := conf.Parse("t.cf", []byte("checkinterval=5\nvirtual=10.0.0.1:80\n    service=http\n    scheduler=rr\n    slowlimit="+tt.limit+"\n    real=10.1.0.1:80 masq\n"),
				conf.Options{Hostname: "director", Refusals: table.Refusals})
			if err != nil {
				t.Fatal(err)
			}
			d := New(Options{
				Table: ipvs.NewMemory(), Sink: func(event.Event) {},
				Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
					return engine.Result{Attempts: 1, Took: tt.took, Last: tt.last}
				},
			})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx, cfg) }()
			<-d.Ready()
			time.Sleep(time.Minute)
			snap, err := d.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			r := snap.Virtuals[0].Reals[0]
			if r.Up != (tt.want == "") || tt.want != "" && !strings.Contains(r.Last.Text, tt.want) {
				t.Errorf("slowlimit %s, took %s, the last attempt %s: up %v, %q; want %q", tt.limit, tt.took, tt.last, r.Up, r.Last.Text, tt.want)
			}
			cancel()
			<-ended
		})
	}
}

// An answer that wants no new connections, and comes too late, is a failure like any other.
func TestSlowAnswerThatDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := configured(t, "checkinterval=5\nvirtual=10.0.0.1:80\n    service=http\n    slowlimit=800ms\n    httpdrain=404\n    failurecount=2\n    real=10.1.0.1:80 masq\n")
		began := time.Now()
		d := New(Options{
			Table: ipvs.NewMemory(), Sink: func(event.Event) {},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				if time.Since(began) < 30*time.Second {
					return engine.Result{Attempts: 1}
				}
				return engine.Result{Attempts: 1, Last: time.Second, Drains: true, Detail: "404 Not Found"}
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, cfg) }()
		defer func() { cancel(); <-ended }()
		time.Sleep(time.Minute)
		snap, err := d.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r := snap.Virtuals[0].Reals[0]; r.Up || r.State != "down" {
			t.Errorf("a real server that answers too late: up %v, state %q, want down", r.Up, r.State)
		}
	})
}
