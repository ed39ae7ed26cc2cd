package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ldirectord/checker"
	"ldirectord/internal/engine"
	"ldirectord/internal/schedule"
)

// serveVar makes the test binary a server on so many addresses.
const serveVar = "LDIRECTORD_BENCH_SERVERS"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(serveVar)); err == nil {
		fmt.Fprintln(os.Stderr, Serve(n, os.Stdin, os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// servers starts a process that answers on n addresses, until the test ends,
// and returns its port.
func servers(tb testing.TB, n int) (port uint16) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveVar+"="+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // it ends when its stdin does
	})
	if _, err := fmt.Fscanf(bufio.NewReader(stdout), "ready %d\n", &port); err != nil {
		tb.Fatalf("the servers did not start: %v", err)
	}
	return port
}

// cpu returns the CPU time of this process so far in microseconds.
func cpu(tb testing.TB) float64 {
	tb.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e3
}

// median is the middle one of some measurements: on a machine that does other
// things too some are wrong.
func median(measured []float64) float64 {
	slices.Sort(measured)
	return measured[len(measured)/2]
}

// A kind is what is asked, by us and by the floor.
type kind struct {
	name string
	make func(addr netip.AddrPort) (checker.Checker, error)
}

var kinds = []kind{
	{"connect", func(addr netip.AddrPort) (checker.Checker, error) { return checker.Connect{Addr: addr}, nil }},
	{"http", func(addr netip.AddrPort) (checker.Checker, error) {
		receive, err := checker.CompilePattern("OK")
		if err != nil {
			return nil, err
		}
		return checker.NewHTTP(checker.HTTPOptions{Service: "http", Addr: addr, Receive: receive})
	}},
}

// BenchmarkCheck measures the CPU of a check, paced as in the daemon: so many
// real servers, each asked every second. One iteration is one second. The floor
// follows for as long under the same conditions, if there is a C compiler.
func BenchmarkCheck(b *testing.B) {
	floor := buildFloor(b)
	for _, n := range []int{1000, 10_000} {
		for _, kind := range kinds {
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				port := servers(b, n)
				ours := measure(b, kind, n, port)
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

// measure runs the checks of n real servers for b.N seconds and returns the CPU
// of one in microseconds.
func measure(b *testing.B, kind kind, n int, port uint16) float64 {
	b.Helper()
	s, e := schedule.New(schedule.Options{}), engine.New(engine.Options{})
	var asked, failed atomic.Int64
	for i := range n {
		c, err := kind.make(netip.AddrPortFrom(Addr(i), port))
		if err != nil {
			b.Fatal(err)
		}
		s.Add(&schedule.Job{Interval: time.Second, Run: func(ctx context.Context) {
			if r := e.Ask(ctx, c, 2*time.Second, 1); r.Err != nil && ctx.Err() == nil {
				failed.Add(1)
			}
			asked.Add(1)
		}})
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		s.Run(ctx)
		close(ended)
	}()
	<-time.After(2 * time.Second) // warm: the first starts, stacks, pools
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	mallocs, before := memory.Mallocs, asked.Load()
	seconds := make([]float64, b.N)
	for i := range seconds {
		used, done := cpu(b), asked.Load()
		<-time.After(time.Second)
		seconds[i] = (cpu(b) - used) / float64(asked.Load()-done)
	}
	n64 := float64(asked.Load() - before)
	runtime.ReadMemStats(&memory)
	lag := s.Lag()
	cancel()
	<-ended
	if want := float64(n * b.N); n64 < 0.9*want || failed.Load() > 0 {
		b.Errorf("%.0f checks of %.0f were made in time and %d failed: the machine is too busy to measure", n64, want, failed.Load())
	}
	b.ReportMetric(float64(memory.Mallocs-mallocs)/n64, "mallocs/check")
	b.ReportMetric(float64(lag.Worst)/1e6, "ms-worst-lag")
	b.ReportMetric(0, "ns/op") // always a second
	return median(seconds)
}

// A floor is the path of the C program, "" is none.
type floor string

// buildFloor compiles the floor, if there is a compiler.
func buildFloor(b *testing.B) floor {
	b.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		b.Log("no C compiler: without the floor")
		return ""
	}
	path := filepath.Join(b.TempDir(), "floor")
	if out, err := exec.CommandContext(b.Context(), cc, "-O2", "-o", path, "testdata/floor.c").CombinedOutput(); err != nil {
		b.Fatalf("compiling the floor: %v\n%s", err, out)
	}
	return floor(path)
}

// measure is measure with the C program.
func (f floor) measure(b *testing.B, kind kind, n int, port uint16) float64 {
	b.Helper()
	var runs []float64
	for range max(b.N/2, 1) {
		out, err := exec.CommandContext(b.Context(), string(f), kind.name, strconv.Itoa(n), strconv.Itoa(int(port)),
			strconv.Itoa(n), "50", "2").Output()
		if err != nil {
			b.Fatalf("the floor: %v", err)
		}
		var user, system float64
		var failed int
		if _, err := fmt.Sscan(string(out), &user, &system, &failed); err != nil || failed > 0 {
			b.Fatalf("the floor said %q: %v", out, err)
		}
		runs = append(runs, user+system)
	}
	return median(runs)
}
