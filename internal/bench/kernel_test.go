package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Ten thousand real servers fail at once: all are taken out of the kernel's
// table, one write each, and no virtual service is ever without a real server,
// since its fallback comes in first.
func TestTransitions(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	// Without lo the kernel takes no IPv4 address for unicast.
	if out, err := exec.CommandContext(t.Context(), "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("ip link set lo up: %v: %s", err, out)
	}
	const n = 10_000
	kernel, err := ipvs.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	watched := &watchedTable{Table: kernel, destinations: map[ipvs.Key]int{}}
	var down atomic.Bool
	d := director.New(director.Options{
		Table: watched,
		Start: func(_ context.Context, _ checker.Checker, _ time.Duration, _ int, done func(engine.Result)) {
			if down.Load() {
				done(engine.Result{Attempts: 1, Err: errors.New("down")})
				return
			}
			done(engine.Result{Attempts: 1})
		},
		Sink: func(event.Event) {},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, withFallbacks(t, n)) }()
	<-d.Ready()
	askAll := func(counter *atomic.Int64) {
		t.Helper()
		if asked, err := d.Recheck(t.Context(), "", ""); err != nil || asked.Checks != n {
			t.Fatalf("asked %+v of the real servers at once: %v", asked, err)
		}
		for end := time.Now().Add(time.Minute); counter.Load() < n; pause(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d of %d real servers changed in a minute", counter.Load(), n)
			}
		}
	}
	askAll(&watched.adds)
	down.Store(true)
	began := time.Now()
	askAll(&watched.deletes)
	t.Logf("%d changes in %.2f s; a look at the clock takes %v", n, time.Since(began).Seconds(), clock())
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := watched.deletes.Load(); got != n {
		t.Errorf("%d real servers deleted, want %d", got, n)
	}
	if empty := watched.empty.Load(); empty > 0 {
		t.Errorf("%d times a virtual service had no real server left", empty)
	}
	entries, err := kernel.Read()
	if err != nil || len(entries) != n/perVirtual {
		t.Fatalf("%d services in the kernel, %v; want %d", len(entries), err, n/perVirtual)
	}
	for _, e := range entries {
		if len(e.Destinations) != 1 {
			t.Fatalf("%s has %d destinations, want the fallback", e.Service.Key, len(e.Destinations))
		}
	}
}

// clock is what a look at the clock takes. On user-mode Linux it is a system
// call, and what else is done there takes the longer the longer this does.
func clock() time.Duration {
	const looks = 1000
	began := time.Now()
	for range looks - 1 {
		_ = time.Now()
	}
	return (time.Since(began) / looks).Round(time.Microsecond)
}

// withFallbacks is a configuration of n real servers that leaves the table as it
// is at the end.
func withFallbacks(t *testing.T, n int) *conf.Config {
	t.Helper()
	var b strings.Builder
	b.WriteString("checkinterval=3600\nquiescent=no\ncleanstop=no\nmonitorlog=none\n")
	for i := range n {
		if i%perVirtual == 0 {
			fmt.Fprintf(&b, "virtual=%s:80\n\tprotocol=tcp\n\tservice=http\n\tchecktype=connect\n\tfallback=127.0.0.1:80 masq\n", virtualAddr(i/perVirtual))
		}
		fmt.Fprintf(&b, "\treal=%s:80 masq\n", Addr(i))
	}
	c, err := conf.Parse("bench.cf", []byte(b.String()), conf.Options{Hostname: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A watchedTable counts the changes of a table.
type watchedTable struct {
	ipvs.Table
	destinations         map[ipvs.Key]int // of one goroutine, the director's
	adds, deletes, empty atomic.Int64
}

// Apply implements ipvs.Table.
func (w *watchedTable) Apply(c ipvs.Change) error {
	err := w.Table.Apply(c)
	if err == nil {
		w.count(c)
	}
	return err
}

// ApplyAll does changes as the table does them best.
func (w *watchedTable) ApplyAll(changes []ipvs.Change) []error {
	errs := ipvs.ApplyAll(w.Table, changes)
	for i, err := range errs {
		if err == nil {
			w.count(changes[i])
		}
	}
	return errs
}

// count counts a change that was made. Fallbacks are not counted as real servers.
func (w *watchedTable) count(c ipvs.Change) {
	real := c.Destination.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1})
	switch c.Op {
	case ipvs.AddDestination:
		w.destinations[c.Service.Key]++
		if real {
			w.adds.Add(1)
		}
	case ipvs.DeleteDestination:
		if w.destinations[c.Service.Key]--; w.destinations[c.Service.Key] == 0 {
			w.empty.Add(1)
		}
		if real {
			w.deletes.Add(1)
		}
	}
}
