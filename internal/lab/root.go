package lab

import (
	"os"
	"testing"
)

// Root skips a test that root alone can run, with one line that names what it needs root for: "a
// network namespace".
func Root(t testing.TB, need string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not root: left out, needs " + need)
	}
}
