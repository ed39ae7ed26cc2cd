// Package lab runs tests on a kernel of their own that has IPVS.
//
// The kernel is user-mode Linux, an ordinary process: the machine needs no
// IPVS and no modules, and its network and files stay untouched. Inside runs
// the calling test again on it, as root, on a throw-away copy of the machine's
// files. There New builds a network of namespaces with a client, a director
// and real servers.
//
//	func TestBalancing(t *testing.T) {
//		if !lab.Inside(t) {
//			return
//		}
//		net := lab.New(t, lab.DR, 2)
//		...
//	}
//
// Two things differ from a machine of flesh: every system call costs about
// 20 µs and every process start tens of milliseconds, and there is one CPU.
package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// environment is the variable with the place of a process: "inside" in the lab's
// kernel. The value "off", set by a user, skips the kernel tests, and those that
// need programs from Debian packages.
const environment = "LDIRECTORD_LAB"

// Inside is the first call in a test that needs the kernel. It returns true when
// the test is already inside. Outside it boots a kernel, runs this test there,
// reports its outcome and output through t, and returns false: the test is complete
// and must return.
//
// Root installs missing Debian packages. For other users, and with -short, the test
// is skipped with one line that gives the reason.
//
// A benchmark runs there in the same way; its lines are printed as they come.
func Inside(t testing.TB) bool {
	t.Helper()
	return inside(t, memory)
}

// InsideLarge is Inside with a kernel that has the memory for several machines with many
// daemons (Machine).
func InsideLarge(t testing.TB) bool {
	t.Helper()
	return inside(t, manyMachines)
}

// inside is Inside with a kernel of so much memory, in MiB.
func inside(t testing.TB, memory int) bool {
	t.Helper()
	if os.Getenv(environment) == "inside" {
		return true
	}
	if why := leftOut(); why != "" {
		t.Skip(why)
	}
	ctx := context.Background()
	if err := Install(ctx, t.Output(), KernelPackages()...); err != nil {
		t.Fatal(err)
	}
	binary, err := plainTest()
	if err != nil {
		t.Fatal(err)
	}
	free, err := takeSlot()
	if err != nil {
		t.Fatal(err)
	}
	defer free()
	if deadline, ok := deadline(t); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline.Add(-grace/2), errDeadline)
		defer cancel()
	}
	runInside(ctx, t, binary, memory)
	return false
}

// deadline is when a test has to have ended; benchmarks may take their time.
func deadline(t testing.TB) (end time.Time, ok bool) {
	if test, isTest := t.(*testing.T); isTest {
		return test.Deadline()
	}
	return time.Time{}, false
}

// grace is how long before the deadline outside the test inside is stopped, so that
// its own report shows where it hangs.
const grace = 6 * time.Second

var errDeadline = errors.New("killed at the deadline of the tests")

// leftOut is the reason why kernel tests cannot run here, "" if they can.
func leftOut() string {
	switch {
	case testing.Short():
		return "-short: kernel tests left out"
	case os.Getenv(environment) == "off":
		return environment + "=off: kernel tests left out"
	case os.Geteuid() != 0:
		return "not root: kernel tests left out"
	case runtime.GOARCH != "amd64":
		return "no user-mode Linux for " + runtime.GOARCH + ": kernel tests left out"
	}
	return ""
}

// runInside runs the test of the same name on a new kernel and gives t its
// outcome.
func runInside(ctx context.Context, t testing.TB, binary string, memory int) {
	t.Helper()
	var timeout time.Duration
	if deadline, ok := deadline(t); ok {
		timeout = max(time.Until(deadline)-grace, time.Second)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	out := &transcript{to: t.Output(), name: t.Name()}
	flags := testFlags(t.Name(), timeout)
	if _, ok := t.(*testing.B); ok {
		out.to, flags = os.Stdout, benchmarkFlags(t.Name())
	}
	status, err := boot(ctx, command{
		Args: append([]string{binary}, flags...),
		Env:  append(os.Environ(), environment+"=inside"),
		Dir:  dir,

		memory: memory,
	}, out)
	switch {
	case err != nil:
		t.Fatal(err)
	case status != 0:
		t.Errorf("inside the lab: exit status %d", status)
	case !out.ran:
		t.Error("inside the lab: the test was not run")
	case out.skipped:
		t.Skip("skipped inside the lab")
	}
}

// testFlags returns the flags for a test binary that runs just the named test, with
// the other flags of this one.
func testFlags(name string, timeout time.Duration) []string {
	return append([]string{
		"-test.run=" + runPattern(name, flag.Lookup("test.run").Value.String()),
		"-test.v=true",
		"-test.paniconexit0",
		fmt.Sprintf("-test.timeout=%s", timeout),
	}, givenFlags()...)
}

// benchmarkFlags is testFlags for a benchmark.
func benchmarkFlags(name string) []string {
	return append([]string{
		"-test.run=^$",
		"-test.bench=" + runPattern(name, flag.Lookup("test.bench").Value.String()),
		"-test.v=true",
		"-test.paniconexit0",
		"-test.timeout=0",
	}, givenFlags()...)
}

// givenFlags are those given outside that mean the same inside.
func givenFlags() (flags []string) {
	flag.Visit(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") || passedOn[f.Name] {
			flags = append(flags, "-"+f.Name+"="+f.Value.String())
		}
	})
	return flags
}

// passedOn are the test package's own flags that mean the same inside. Flags
// that a test defines itself are all passed on.
var passedOn = map[string]bool{
	"test.short":    true,
	"test.skip":     true,
	"test.failfast": true,
	"test.fullpath": true,

	"test.benchtime": true,
	"test.benchmem":  true,
}

// runPattern is the -run pattern that selects the named test and, of its
// subtests, those that the pattern given outside selects.
func runPattern(name, outside string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	// With alternatives in it, which part belongs to which name is not worth
	// finding out: all subtests are run.
	if given := strings.Split(outside, "/"); !strings.Contains(outside, "|") && len(given) > len(parts) {
		parts = append(parts, given[len(parts):]...)
	}
	return strings.Join(parts, "/")
}
