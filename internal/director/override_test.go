package director

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A hanging table answers nothing while it hangs.
type hanging struct {
	*ipvs.Memory
	read, change chan struct{} // take one entry for each answer
}

func (h *hanging) ReadEach(use func(*ipvs.Entry)) error {
	<-h.read
	return h.Memory.ReadEach(use)
}

func (h *hanging) Apply(c ipvs.Change) error {
	<-h.change
	return h.Memory.Apply(c)
}

// Orders of every verb are given while the kernel hangs, and their clients do not wait
// for its return. The order whose turn has not come is withdrawn, and never comes into
// force. The order that has had its turn is in force, the answer says so, and the table
// follows when the kernel works again.
func TestOrderWhileTheKernelHangs(t *testing.T) {
	for _, o := range []report.Order{{Verb: report.Drain}, {Verb: report.Disable}, {Verb: report.Weight, Weight: 7}, {Verb: report.Weight}, {Verb: report.Enable}} {
		for _, before := range []bool{true, false} {
			name := map[bool]string{true: "before its turn", false: "in its turn"}[before]
			t.Run(o.Verb+" "+name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { orderWhileHanging(t, o, before) }) })
		}
	}
}

func orderWhileHanging(t *testing.T, o report.Order, before bool) {
	const real = "10.1.0.1:80"
	o.Real, o.By = real, "alice"
	h := &hanging{Memory: ipvs.NewMemory(), read: make(chan struct{}, 1000), change: make(chan struct{}, 1000)}
	for range 900 {
		h.read <- struct{}{}
		h.change <- struct{}{}
	}
	l := goLive(t, h, "driftcheck=5\nquiescent=no\nvirtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq 3\n\treal=10.1.0.2:80 masq 3\n")
	defer l.end()
	time.Sleep(time.Second)
	if o.Verb == report.Enable {
		if _, _, err := l.d.Obey(t.Context(), report.Order{Verb: report.Disable, Real: real}); err != nil {
			t.Fatal(err)
		}
	}
	inForce, table := l.d.Overrides(), h.String()
	gate := h.change
	if before {
		gate = h.read
	}
	answers := len(gate)
	for range answers {
		<-gate
	}
	time.Sleep(10 * time.Second) // with a look that hangs, if looks do

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	obeyed, all, err := l.d.Obey(ctx, o)
	if before && (!errors.Is(err, context.DeadlineExceeded) || obeyed != nil || all != nil) {
		t.Errorf("its turn did not come: %v, %v, %v", obeyed, all, err)
	}
	if !before && (!errors.Is(err, report.ErrPending) || len(obeyed) != 1 || !cmp.Equal(all, l.d.Overrides())) {
		t.Errorf("the kernel hangs in its turn: %v, %v, %v, want it with what is in force, %v", obeyed, all, err, l.d.Overrides())
	}
	for range answers {
		gate <- struct{}{}
	}
	time.Sleep(10 * time.Second)
	switch diff := cmp.Diff(inForce, l.d.Overrides()); {
	case before && (diff != "" || h.String() != table):
		t.Errorf("after its client has left, the order is carried out (-before +now):\n%s%s", diff, h)
	case !before && (diff == "" || h.String() == table):
		t.Errorf("in force are %v, the table is\n%s", l.d.Overrides(), h)
	}
	if log := l.logged(); before && strings.Contains(log, "by alice") {
		t.Errorf("the log has the order:\n%s", log)
	}
}
