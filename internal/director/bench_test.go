package director

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// large is a configuration of as many virtual services and real servers as a
// peer was once reported to need minutes for.
func large(b *testing.B, virtuals, reals, weight int) *conf.Config {
	b.Helper()
	var text strings.Builder
	text.WriteString("checkinterval=3600\nmonitorlog=none\n")
	each := (reals + virtuals - 1) / virtuals
	for i := range reals {
		if i%each == 0 {
			n := i / each
			fmt.Fprintf(&text, "virtual=10.%d.%d.1:80\n    service=http\n", n/256, n%256)
		}
		w := 1
		if i == reals/2 {
			w = weight
		}
		fmt.Fprintf(&text, "    real=10.%d.%d.%d:80 masq %d\n", 100+i/62500, i/250%250, 1+i%250, w)
	}
	c, err := conf.Parse("t.cf", []byte(text.String()), conf.Options{Hostname: "director"})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkReload measures how long the director's goroutine is busy with a
// reload of 37,298 real servers, all up, and counts what reaches the kernel.
func BenchmarkReload(b *testing.B) {
	for _, bm := range []struct {
		name   string
		asked  bool
		weight int
		writes uint64
	}{{"unchanged", true, 1, 0}, {"one weight", true, 2, 1}, {"nobody is asked", false, 1, 0}} {
		b.Run(bm.name, func(b *testing.B) {
			before, after := large(b, 2284, 37298, 1), large(b, 2284, 37298, bm.weight)
			if !bm.asked {
				before, after = prove(before), prove(after)
			}
			table := ipvs.NewMemory()
			d := atWork(b, table, before, func() error { return nil })
			for b.Loop() {
				b.StopTimer()
				if err := d.Reload(b.Context(), before); err != nil {
					b.Fatal(err)
				}
				writes := table.Writes()
				b.StartTimer()
				if err := d.Reload(b.Context(), after); err != nil {
					b.Fatal(err)
				}
				if got := table.Writes() - writes; got != bm.writes {
					b.Fatalf("%d writes, want %d", got, bm.writes)
				}
			}
		})
	}
}

// prove makes every real server up from the start.
func prove(c *conf.Config) *conf.Config {
	for _, v := range c.Virtuals {
		v.CheckType = conf.CheckOn
	}
	return c
}

// atWork runs a director until the end of the benchmark. It returns after the
// first check of every real server.
func atWork(b *testing.B, table ipvs.Table, cfg *conf.Config, answer func() error) *Director {
	b.Helper()
	d := New(Options{
		Table: table,
		Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
			return engine.Result{Attempts: 1, Err: answer()}
		},
		Sink: func(event.Event) {},
	})
	cfg.CheckRate = cmp.Or(cfg.CheckRate, 1<<20)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, cfg) }()
	b.Cleanup(func() { cancel(); <-ended })
	<-d.Ready()
	awaitReady(b, d)
	return d
}

// awaitReady waits until every check has answered.
func awaitReady(tb testing.TB, d *Director) {
	tb.Helper()
	for {
		s, err := d.Snapshot(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		if s.Ready {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// inLoop calls f in the director's goroutine.
func inLoop(b *testing.B, d *Director, f func()) {
	b.Helper()
	if _, err := do(b.Context(), d, func() struct{} { f(); return struct{}{} }); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkResult measures what the director's goroutine does about a good
// result.
func BenchmarkResult(b *testing.B) {
	d := atWork(b, ipvs.NewMemory(), large(b, 1000, 10000, 1), func() error { return nil })
	inLoop(b, d, func() {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			c := d.checks.List[i%len(d.checks.List)]
			d.handle(&checks.Result{Check: c, Asked: c.Ask, At: d.now(), Result: engine.Result{Attempts: 1, Took: time.Millisecond}})
		}
	})
}

// BenchmarkResults measures the same for results that come together, of which
// some have changed places.
func BenchmarkResults(b *testing.B) {
	const together = 500
	d := atWork(b, ipvs.NewMemory(), large(b, 1000, 10000, 1), func() error { return nil })
	random := rand.New(rand.NewPCG(1, 2))
	for _, mixed := range []int{0, 10, together} {
		b.Run(strconv.Itoa(mixed), func(b *testing.B) {
			inLoop(b, d, func() {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%together != 0 {
						continue
					}
					for k := range together {
						c := d.checks.List[(k*20+i/together)%len(d.checks.List)]
						d.checks.Results.Put(checks.Result{Check: c, Asked: c.Ask, Result: engine.Result{Attempts: 1, Took: time.Millisecond}})
					}
					for range mixed {
						i, k := random.IntN(together), random.IntN(together)
						d.checks.Results.List[i], d.checks.Results.List[k] = d.checks.Results.List[k], d.checks.Results.List[i]
					}
					d.handleResults()
				}
			})
		})
	}
}

// BenchmarkTransitions measures what the director's goroutine does when 10,000
// real servers die, and when they come back.
func BenchmarkTransitions(b *testing.B) {
	for _, virtuals := range []int{1, 1000, 10000} {
		b.Run(fmt.Sprintf("of %d", virtuals), func(b *testing.B) {
			d := atWork(b, ipvs.NewMemory(), large(b, virtuals, 10000, 1), func() error { return nil })
			dead := errors.New("connection refused")
			inLoop(b, d, func() {
				b.ReportAllocs()
				for b.Loop() {
					for _, err := range []error{dead, nil} {
						for i, c := range d.checks.List {
							d.handle(&checks.Result{Check: c, Asked: c.Ask, At: d.now(), Result: engine.Result{Err: err, Attempts: 1}})
							if i%100 == 99 { // the results that waited
								d.settle()
							}
						}
						d.settle()
					}
				}
			})
		})
	}
}

// nowhere is a kernel that takes everything and keeps nothing.
type nowhere struct{}

func (nowhere) Read() ([]ipvs.Entry, error) { return nil, nil }
func (nowhere) Apply(ipvs.Change) error     { return nil }
func (nowhere) Close() error                { return nil }

// BenchmarkMemory measures what 10,000 real servers cost between two checks,
// with their configuration: ten of each virtual service, all up.
func BenchmarkMemory(b *testing.B) {
	for _, kind := range []conf.CheckType{conf.CheckConnect, conf.CheckNegotiate} {
		b.Run(kind.String(), func(b *testing.B) {
			for b.Loop() {
				before := inUse()
				cfg := large(b, 1000, 10000, 1)
				cfg.CheckRate = 20000 // the memory for 10,000 at once is not part of it
				for _, v := range cfg.Virtuals {
					v.CheckType = kind
				}
				d := atWork(b, nowhere{}, cfg, func() error { return nil })
				b.ReportMetric(float64(inUse()-before)/10000, "B/server")
				runtime.KeepAlive(d)
			}
		})
	}
}

// inUse is the memory in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has emptied pools into
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
