package status

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// What a reader of the page costs each second: an overview, a drawing and the changes, at the
// pace at which they are made.
func BenchmarkPageReader(b *testing.B) {
	for _, virtuals := range []int{5, 50, 500} {
		h := newHouse(b, "checkinterval=3600\n"+many(virtuals))
		b.Run(fmt.Sprint(100*virtuals), func(b *testing.B) {
			b.ReportAllocs()
			p := h.page
			old, err := p.draw(b.Context(), pageView{})
			if err != nil {
				b.Fatal(err)
			}
			began := cpuTime()
			for b.Loop() {
				h.source.forget()
				p.last.at = time.Time{}
				d, err := p.draw(b.Context(), pageView{})
				if err != nil {
					b.Fatal(err)
				}
				d.changes(old)
				old = d
			}
			each := (cpuTime() - began) / time.Duration(b.N)
			pace := p.last.lasts.Round(pageAge) // whole ticks
			b.ReportMetric(each.Seconds()*1000/pace.Seconds(), "cpu-ms/s")
		})
	}
}

// cpuTime is that of the process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it has no errors for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
