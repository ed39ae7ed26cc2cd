package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// serveVar makes the test binary the servers: how many, their fault, and what
// they speak if it is not HTTP.
const serveVar = "LDIRECTORD_BENCH_SERVERS"

func TestMain(m *testing.M) {
	var n int
	fault, service := None, HTTP
	if words, _ := fmt.Sscan(os.Getenv(serveVar), &n, &fault, &service); words > 0 {
		fmt.Fprintln(os.Stderr, serve(n, fault, service))
		os.Exit(1)
	}
	if words := os.Getenv(shakeVar); words != "" {
		shakeHands(words)
	}
	os.Exit(m.Run())
}

// wireVar has the servers stand at the far end of a wire, which they make, and
// says how long it holds a packet back.
const wireVar = "LDIRECTORD_BENCH_WIRE"

// serve is Serve in this process.
func serve(n int, fault Fault, service Service) error {
	delay, err := time.ParseDuration(os.Getenv(wireVar))
	if err != nil {
		return Serve(n, fault, service, nil, os.Stdin, os.Stdout)
	}
	w, err := lab.OpenWire(delay)
	if err != nil {
		return err
	}
	return w.Do(func() error { return Serve(n, fault, service, lab.WireAddr, os.Stdin, os.Stdout) })
}

// servers starts the servers until the test ends and returns their port.
func servers(tb testing.TB, n int, fault Fault) (port uint16) {
	tb.Helper()
	return startLoad(tb, n, fault, HTTP).port
}

// A load is a process with servers.
type load struct {
	port uint16
	n    int
	in   io.WriteCloser
	out  *bufio.Reader
	stop func()
}

// startLoad starts n servers, of which every other has the fault, until stop or
// the end of the test.
func startLoad(tb testing.TB, n int, fault Fault, service Service) *load {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s %s", serveVar, n, fault, service))
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
	l := &load{n: n, in: stdin, out: bufio.NewReader(stdout)}
	l.stop = func() {
		stdin.Close()
		_ = cmd.Wait() // it ends when its stdin does
	}
	tb.Cleanup(l.stop)
	if _, err := fmt.Fscanf(l.out, "ready %d\n", &l.port); err != nil {
		tb.Fatalf("the servers did not start: %v", err)
	}
	return l
}

// order has the servers from ≤ i < to obey word, and returns the answer.
func (l *load) order(tb testing.TB, word string, from, to int) string {
	tb.Helper()
	fmt.Fprintln(l.in, word, from, to)
	answer, err := l.out.ReadString('\n')
	var said string
	if _, scanErr := fmt.Sscan(answer, &said); err != nil || scanErr != nil || said != word {
		tb.Fatalf("the servers were told %s %d %d and said %q, %v", word, from, to, answer, err)
	}
	return answer
}

// visits requests the number of checks of the servers from ≤ i < to.
func (l *load) visits(tb testing.TB, from, to int) (v Visits) {
	tb.Helper()
	answer := l.order(tb, "visits", from, to)
	if _, err := fmt.Sscanf(answer, "visits %d %d %d %d", &v.Fewest, &v.Total, &v.Mean, &v.Worst); err != nil {
		tb.Fatalf("the servers said %q: %v", answer, err)
	}
	return v
}
