package bench

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/schedule"
)

// A kind is a kind of check, ours and the floor's.
type kind struct {
	name string
	make func(addr netip.AddrPort) (checker.Checker, error)
}

var (
	connect = kind{"connect", func(addr netip.AddrPort) (checker.Checker, error) {
		return checker.Connect{Addr: addr, HalfOpen: true}, nil
	}}
	http = kind{"http", func(addr netip.AddrPort) (checker.Checker, error) {
		o := checker.HTTPOptions{Service: "http"}
		if err := o.Complete(); err != nil {
			return nil, err
		}
		return o.At(addr, nil)
	}}
	smtp = kind{"smtp", func(addr netip.AddrPort) (checker.Checker, error) { return checker.SMTP{Addr: addr}, nil }}
)

// The measured checks must be right: every real server is checked, those without a
// fault are up each time, the others down.
func TestFaults(t *testing.T) {
	const n = 50
	directors := map[Fault]*watcher{}
	for _, fault := range []Fault{None, Refused, Silent, BlackHole} {
		directors[fault] = start(t, http, pace{time.Second / 2, time.Second}, n, servers(t, n, fault))
	}
	<-time.After(4 * time.Second)
	for fault, d := range directors {
		d.stop()
		for i := range d.reals {
			asked, failed := d.reals[i].asked.Load(), d.reals[i].failed.Load()
			down := i%2 == 1 && fault != None
			// A black hole answers a time or two before it is one, and where
			// the machine stands still a healthy server is late once.
			if asked < 3 || !down && failed > asked/3 || down && failed < asked-3 {
				t.Errorf("%s: server %d was down %d of %d times, want it down: %v", fault, i, failed, asked, down)
			}
		}
	}
}

// BenchmarkCheck measures the CPU of a check, paced as in the daemon: so many
// real servers, each checked every second. One iteration is one second. The floor
// follows for as long under the same conditions, if there is a C compiler.
func BenchmarkCheck(b *testing.B) {
	floor := buildFloor(b)
	for _, n := range []int{1000, 10_000} {
		for _, kind := range []kind{connect, http} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				port := servers(b, n, None)
				d := start(b, kind, everySecond, n, port)
				d.warm()
				ours := d.seconds(b)
				d.report(b)
				b.ReportMetric(ours, "µs-cpu/check")
				if floor != "" {
					c := floor.measure(b, kind, n, port)
					b.ReportMetric(c, "µs-cpu/floor")
					b.ReportMetric(ours/c, "of-floor")
				}
			})
		}
	}
}

// BenchmarkWire is what a check costs where its packets take their time, and
// whether a healthy server is ever held to be down: on loopback a connection
// stands before anybody can look. The wire and the servers are another process.
func BenchmarkWire(b *testing.B) {
	if !lab.Apart(b) {
		return
	}
	for _, delay := range []time.Duration{0, 100 * time.Microsecond, 2 * time.Millisecond, 50 * time.Millisecond} {
		for _, service := range []Service{HTTP, SMTP} {
			for _, kind := range overWire[service] {
				b.Run(fmt.Sprintf("%s/%v", kind.name, delay), func(b *testing.B) {
					b.Setenv(wireVar, delay.String())
					const n = 1000
					load := startLoad(b, n, None, service)
					defer load.stop() // before the next one makes its wire
					d := startAt(b, kind, everySecond, n, load.port, lab.WireAddr)
					d.warm()
					cpu := d.seconds(b)
					d.report(b)
					b.ReportMetric(cpu, "µs-cpu/check")
				})
			}
		}
	}
}

// overWire are the kinds measured over the wire, by service.
var overWire = map[Service][]kind{HTTP: {connect, http}, SMTP: {smtp}}

// BenchmarkHalfDead has half of ten thousand servers fail, with a timeout of two
// seconds, and looks at the healthy half: none may be checked later because of it.
func BenchmarkHalfDead(b *testing.B) {
	for _, fault := range []Fault{Refused, Silent, BlackHole} {
		b.Run(string(fault), func(b *testing.B) {
			const n = 10_000
			d := start(b, http, everySecond, n, servers(b, n, fault))
			d.warm()
			cpu := d.seconds(b)
			d.report(b)
			b.ReportMetric(cpu, "µs-cpu/check")
		})
	}
}

// A watcher is schedule and engine with the checks of n real servers.
type watcher struct {
	schedule *schedule.Schedule
	reals    []real
	stop     func()
}

// A real is one real server.
type real struct {
	asked, failed atomic.Int64
	last          time.Time     // the start of the last check
	gap           time.Duration // the longest time between two checks
}

// pace is the interval and the timeout of the checks.
type pace struct{ interval, timeout time.Duration }

var everySecond = pace{time.Second, 2 * time.Second}

// start starts a watcher.
func start(tb testing.TB, kind kind, pace pace, n int, port uint16) *watcher {
	tb.Helper()
	return startAt(tb, kind, pace, n, port, Addr)
}

// startAt is start for servers whose i-th has the address addr(i).
func startAt(tb testing.TB, kind kind, pace pace, n int, port uint16, addr func(i int) netip.Addr) *watcher {
	tb.Helper()
	e := engine.New(engine.Options{})
	ctx, cancel := context.WithCancel(tb.Context())
	d := &watcher{schedule: schedule.New(schedule.Options{}), reals: make([]real, n)}
	jobs := make([]*schedule.Job, n)
	for i := range d.reals {
		r := &d.reals[i]
		c, err := kind.make(netip.AddrPortFrom(addr(i), port))
		if err != nil {
			tb.Fatal(err)
		}
		j := &schedule.Job{Interval: pace.interval}
		j.Start = func() {
			r.begin(time.Now())
			e.Start(ctx, c, pace.timeout, 1, func(a engine.Result) {
				if a.Err != nil && ctx.Err() == nil {
					r.failed.Add(1)
				}
				r.asked.Add(1)
				d.schedule.Done(j)
			})
		}
		jobs[i] = j
	}
	d.schedule.Add(jobs...)
	ended := make(chan struct{})
	go func() {
		d.schedule.Run(ctx)
		close(ended)
	}()
	d.stop = func() {
		cancel()
		e.Close()
		<-ended
	}
	return d
}

// begin records the start of a check. The first gap does not count:
// the second time comes early.
func (r *real) begin(now time.Time) {
	if r.asked.Load() > 1 {
		r.gap = max(r.gap, now.Sub(r.last))
	}
	r.last = now
}

// warm waits until first starts, stacks and pools are behind it.
func (d *watcher) warm() { <-time.After(4 * time.Second) }

// seconds measures for b.N seconds and returns the CPU of one check in
// microseconds.
func (d *watcher) seconds(b *testing.B) float64 {
	b.Helper()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	mallocs, before := memory.Mallocs, d.asked()
	seconds := make([]float64, b.N)
	for i := range seconds {
		used, done := cpu(b), d.asked()
		<-time.After(time.Second)
		seconds[i] = (cpu(b) - used) / float64(d.asked()-done)
	}
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.Mallocs-mallocs)/float64(d.asked()-before), "mallocs/check")
	b.ReportMetric(0, "ns/op") // always a second
	return median(seconds)
}

// asked is the number of checks of all servers.
func (d *watcher) asked() (n int64) {
	for i := range d.reals {
		n += d.reals[i].asked.Load()
	}
	return n
}

// report ends the watcher and reports the figures of the healthy servers.
func (d *watcher) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(d.schedule.Lag().Worst)/1e6, "ms-worst-lag")
	b.ReportMetric(resident(b), "MB-rss")
	d.stop()
	var gap time.Duration
	var failed int64
	for i := range d.reals {
		if i%2 == 0 {
			gap = max(gap, d.reals[i].gap)
			failed += d.reals[i].failed.Load()
		}
	}
	b.ReportMetric(float64(gap)/1e6, "ms-worst-gap")
	if failed > 0 {
		b.Errorf("%d checks of healthy servers failed", failed)
	}
}

// cpu returns the CPU time of this process so far in microseconds.
func cpu(b *testing.B) float64 {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e3
}

// resident returns the memory that this process has in use, in megabytes.
func resident(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}
