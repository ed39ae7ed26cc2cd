package director

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// slow is a table that takes a second for each change.
type slow struct{ ipvs.Table }

func (s slow) Apply(c ipvs.Change) error {
	time.Sleep(time.Second)
	return s.Table.Apply(c)
}

// TestAskWhileLoading starts checks before the table is written: with many
// virtual services it takes longer to write than most servers to answer.
func TestAskWhileLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		d := New(Options{
			Table: slow{ipvs.NewMemory()},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				asked.Add(1)
				return engine.Result{Attempts: 1}
			},
			Sink: func(event.Event) {},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		c := configured(t, "checkinterval=10\n"+
			"virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\nvirtual=10.0.0.2:80\n    real=10.1.0.2:80 masq\n")
		go func() { ended <- d.Run(ctx, c) }()
		time.Sleep(500 * time.Millisecond)
		select {
		case <-d.Ready():
			t.Error("the table stands at once, want a slow one")
		default:
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("%d were asked before the table stood, want both", n)
		}
		time.Sleep(9 * time.Second)
		s, err := d.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range s.Virtuals {
			if v.In != 1 {
				t.Errorf("%s: %d get connections after the table stood, want 1", v.ID, v.In)
			}
		}
		cancel()
		<-ended
	})
}
