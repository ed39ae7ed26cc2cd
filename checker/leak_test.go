package checker

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// patternClock is what regexp2 runs for a moment after a match.
const patternClock = "github.com/dlclark/regexp2/v2.runClock"

// leavesNothing fails the test at its end if there are more goroutines or open
// descriptors than now. Those that are about to end get the time for it.
func leavesNothing(t *testing.T) {
	t.Helper()
	// The first socket brings the descriptors of Go's poller, which stay.
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
	goroutines, files := goleak.IgnoreCurrent(), openFiles(t)
	t.Cleanup(func() {
		var err error
		eventually.Holds(func() bool {
			err = leaks(goroutines, goleak.IgnoreAnyFunction(patternClock))
			return err == nil
		})
		if err != nil {
			t.Error(err)
		}
		if !eventually.Holds(func() bool { return openFiles(t) <= files }) {
			t.Errorf("%d open files before, %d after", files, openFiles(t))
		}
	})
}

// leaks is goleak.Find, which panics on a stack too deep to print: the LDAP
// library has one for a peer that nests without end.
func leaks(options ...goleak.Option) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("goleak: %v", r)
		}
	}()
	return goleak.Find(options...)
}

// openFiles counts the open descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
