package director

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ldirectord/checker"
	"ldirectord/conf"
	"ldirectord/internal/engine"
	"ldirectord/ipvs"
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

// atWork runs a director until the end of the benchmark. It returns when every
// real server has been asked.
func atWork(b *testing.B, table ipvs.Table, cfg *conf.Config, answer func() error) *Director {
	b.Helper()
	d := New(Options{
		Table: table,
		Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
			return engine.Result{Attempts: 1, Err: answer()}
		},
		Sink: func(Event) {},
	})
	cfg.CheckRate = 1 << 20
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

// BenchmarkResult measures what the director's goroutine does about a good
// result.
func BenchmarkResult(b *testing.B) {
	d := atWork(b, ipvs.NewMemory(), large(b, 1000, 10000, 1), func() error { return nil })
	err := d.do(b.Context(), func() {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			c := d.checks[i%len(d.checks)]
			d.hear(&result{check: c, asked: c.ask, at: d.now(), Result: engine.Result{Attempts: 1, Took: time.Millisecond}})
		}
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTransitions measures what the director's goroutine does when 10,000
// real servers die, and when they come back.
func BenchmarkTransitions(b *testing.B) {
	for _, virtuals := range []int{1, 1000, 10000} {
		b.Run(fmt.Sprintf("of %d", virtuals), func(b *testing.B) {
			d := atWork(b, ipvs.NewMemory(), large(b, virtuals, 10000, 1), func() error { return nil })
			dead := errors.New("connection refused")
			err := d.do(b.Context(), func() {
				b.ReportAllocs()
				for b.Loop() {
					for _, err := range []error{dead, nil} {
						for i, c := range d.checks {
							d.hear(&result{check: c, asked: c.ask, at: d.now(), Result: engine.Result{Err: err, Attempts: 1}})
							if i%100 == 99 { // the results that waited
								d.settle()
							}
						}
						d.settle()
					}
				}
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
