package bench

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// floorSeconds is how long the floor is measured at a time.
const floorSeconds = 2

// A floor is the path of the C program, "" is none.
type floor string

// buildFloor compiles the floor, if there is a compiler.
func buildFloor(b *testing.B) floor {
	b.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		b.Log("no C compiler: without the floor")
		return ""
	}
	path := filepath.Join(b.TempDir(), "floor")
	compile(b, path, "testdata/floor.c")
	return floor(path)
}

// measure returns the CPU of one check in microseconds.
func (f floor) measure(b *testing.B, kind kind, n int, port uint16) float64 {
	b.Helper()
	var runs []float64
	for range max(b.N/2, 1) {
		runs = append(runs, f.run(b, kind.name, n, port))
	}
	return median(runs)
}

// run measures once.
func (f floor) run(tb testing.TB, kind string, n int, port uint16) float64 {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), string(f), kind, strconv.Itoa(n), strconv.Itoa(int(port)),
		strconv.Itoa(n), "50", strconv.Itoa(floorSeconds)).Output()
	if err != nil {
		tb.Fatalf("the floor: %v", err)
	}
	var user, system float64
	var failed int
	if _, err := fmt.Sscan(string(out), &user, &system, &failed); err != nil || failed > 0 {
		tb.Fatalf("the floor said %q: %v", out, err)
	}
	return user + system
}

// floors are what a check needs at least, by the kind of question.
func (c *comparison) floors() map[string]func(tb testing.TB, n int, port uint16) float64 {
	floors := map[string]func(tb testing.TB, n int, port uint16) float64{"https": shake}
	if c.floor != "" {
		for _, kind := range []string{"connect", "http"} {
			floors[kind] = func(tb testing.TB, n int, port uint16) float64 { return c.floor.run(tb, kind, n, port) }
		}
	}
	return floors
}

// shakeVar makes the test binary the floor of https: how many servers, and their
// port.
const shakeVar = "LDIRECTORD_BENCH_SHAKE"

// shake measures a loop of bare TLS handshakes in a process of its own, once, and
// returns the CPU of one in microseconds.
func shake(tb testing.TB, n int, port uint16) (cpu float64) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", shakeVar, n, port))
	out, err := cmd.Output()
	var failed int
	if _, scanErr := fmt.Sscan(string(out), &cpu, &failed); err != nil || scanErr != nil || failed > 0 {
		tb.Fatalf("the handshakes said %q: %v", out, err)
	}
	return cpu
}

// shakeHands is that process: it connects to each server once a second, shakes
// hands under the same TLS configuration as a check, and closes. Like the floor
// in C it starts the due checks every 50 ms.
func shakeHands(words string) {
	var n int
	var port uint16
	_, err := fmt.Sscan(words, &n, &port)
	config, configErr := checker.TLSConfig(checker.TLSOptions{Verify: checker.VerifyNone})
	if err != nil || configErr != nil {
		fmt.Fprintln(os.Stderr, words, err, configErr)
		os.Exit(1)
	}
	var failed atomic.Int64
	var running sync.WaitGroup
	const ticks = 20 // a second
	tick := time.NewTicker(time.Second / ticks)
	started := 0
	for i := range floorSeconds * ticks {
		for ; started < n*(i+1)/ticks; started++ {
			addr := netip.AddrPortFrom(Addr(started%n), port)
			running.Go(func() {
				if handshake(addr, config) != nil {
					failed.Add(1)
				}
			})
		}
		<-tick.C
	}
	running.Wait()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(float64(used.Utime.Nano()+used.Stime.Nano())/1e3/float64(started), failed.Load())
	os.Exit(0)
}

// handshake is one.
func handshake(addr netip.AddrPort, config *tls.Config) error {
	conn, err := net.DialTimeout("tcp", addr.String(), 2*time.Second)
	if err != nil {
		return err
	}
	secure := tls.Client(conn, config)
	defer secure.Close()
	_ = secure.SetDeadline(time.Now().Add(2 * time.Second)) // it is open
	return secure.Handshake()
}
