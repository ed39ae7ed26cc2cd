package director

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/schedule"
	"github.com/ldirectord/ldirectord/ipvs"
)

// stuck is a table that can stop answering.
type stuck struct {
	ipvs.Table
	until chan struct{}
}

func (s stuck) Read() ([]ipvs.Entry, error) {
	<-s.until
	return s.Table.Read()
}

// TestAlive has the kernel hold up the director, which is to be noticed.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := stuck{ipvs.NewMemory(), make(chan struct{}, 1)}
		table.until <- struct{}{} // the look at the start
		d := New(Options{
			Table: table,
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				return engine.Result{Attempts: 1}
			},
			Sink: func(event.Event) {},
		})
		if err := d.Alive(); err != nil {
			t.Errorf("before the start: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		c := configured(t, "driftcheck=60\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n")
		go func() { ended <- d.Run(ctx, c) }()
		time.Sleep(59 * time.Second)
		if err := d.Alive(); err != nil {
			t.Errorf("at work: %v", err)
		}
		time.Sleep(13 * time.Second) // the second look hangs since the 60th second
		if err := d.Alive(); err == nil || !strings.Contains(err.Error(), "the director has stood still") {
			t.Errorf("with a table that does not answer: %v", err)
		}
		close(table.until)
		time.Sleep(2 * time.Second)
		if err := d.Alive(); err != nil {
			t.Errorf("after it answered: %v", err)
		}
		s, err := d.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if turn := s.Lag.Turn.Duration(); turn != 12*time.Second {
			t.Errorf("the longest turn was %v, want 12s", turn)
		}
		cancel()
		<-ended
	})
}

// TestAliveSchedule has the schedule stand still, beside a director that works.
func TestAliveSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- d.Run(ctx, configured(t, "virtual=10.0.0.1:80\n    checktype=on\n    real=10.1.0.1:80 masq\n"))
		}()
		<-d.Ready()
		works := d.checks.Running.Load()
		d.checks.Running.Store(schedule.New(schedule.Options{})) // nobody runs it
		time.Sleep(standstill)
		if err := d.Alive(); err != nil {
			t.Errorf("after %v: %v", standstill, err)
		}
		time.Sleep(time.Second)
		if err := d.Alive(); err == nil || !strings.Contains(err.Error(), "the schedule stands still") {
			t.Errorf("with a schedule that does not come round: %v", err)
		}
		d.checks.Running.Store(works)
		if err := d.Alive(); err != nil {
			t.Errorf("with one that does: %v", err)
		}
		cancel()
		<-ended
	})
}
