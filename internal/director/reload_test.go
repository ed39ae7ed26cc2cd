package director

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A configuration that was replaced is gone, whatever has happened while it was
// in force.
func TestReloadForgets(t *testing.T) {
	const text = "driftcheck=1\nvirtual=10.0.0.1:80\n    service=http\n    fallback=127.0.0.1:80\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n"
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var asked atomic.Int64
		d := New(Options{
			Table: ipvs.NewMemory(),
			Sink:  func(event.Event) {},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				if asked.Add(1)%3 == 0 {
					return engine.Result{Attempts: 1, Err: errors.New("no")}
				}
				return engine.Result{Attempts: 1}
			},
		})
		ended := make(chan error, 1)
		old := start(ctx, t, d, ended, text)
		time.Sleep(5 * time.Minute)
		if notes, err := d.History(ctx, report.HistoryQuery{}); err != nil || len(notes) < 10 {
			t.Fatalf("%d events, %v: want that much happened", len(notes), err)
		}
		if err := d.Reload(ctx, configured(t, text)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		runtime.GC()
		if old.Value() != nil {
			t.Error("something leads to the configuration of before the reload")
		}
		cancel()
		<-ended
	})
}

// start runs d with a text. It returns a pointer that does not keep the
// configuration.
func start(ctx context.Context, t *testing.T, d *Director, ended chan error, text string) weak.Pointer[conf.VirtualService] {
	t.Helper()
	cfg := configured(t, text)
	go func() { ended <- d.Run(ctx, cfg) }()
	<-d.Ready()
	return weak.Make(cfg.Virtuals[0])
}
