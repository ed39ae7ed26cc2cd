package director

import (
	"context"
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
	for i := range reals {
		if i%(reals/virtuals+1) == 0 {
			n := i / (reals/virtuals + 1)
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
		weight int
		writes uint64
	}{{"unchanged", 1, 0}, {"one weight", 2, 1}} {
		b.Run(bm.name, func(b *testing.B) {
			before, after := large(b, 2284, 37298, 1), large(b, 2284, 37298, bm.weight)
			table := ipvs.NewMemory()
			d := New(Options{
				Table: table,
				Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
					return engine.Result{Attempts: 1}
				},
				Sink: func(Event) {},
			})
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx, prove(before)) }()
			<-d.Ready()
			for b.Loop() {
				b.StopTimer()
				if err := d.Reload(ctx, prove(before)); err != nil {
					b.Fatal(err)
				}
				writes := table.Writes()
				b.StartTimer()
				if err := d.Reload(ctx, prove(after)); err != nil {
					b.Fatal(err)
				}
				if got := table.Writes() - writes; got != bm.writes {
					b.Fatalf("%d writes, want %d", got, bm.writes)
				}
			}
			cancel()
			<-ended
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
