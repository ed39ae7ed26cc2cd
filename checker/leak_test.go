package checker

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patternClock is what regexp2 runs for a moment after a match.
const patternClock = "github.com/dlclark/regexp2/v2.runClock"

// leavesNothing fails the test at its end if there are more goroutines or open
// descriptors than now. Those that are about to end get the time for it.
func leavesNothing(t *testing.T) {
	t.Helper()
	goroutines, files := goleak.IgnoreCurrent(), openFiles(t)
	t.Cleanup(func() {
		goleak.VerifyNone(t, goroutines, goleak.IgnoreAnyFunction(patternClock))
		for range 50 {
			if openFiles(t) <= files {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d open files before, %d after", files, openFiles(t))
	})
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
