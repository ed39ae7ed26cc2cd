//go:build long

package acceptance

import (
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLongHalfWritten has all writers write the configuration file.
func TestLongHalfWritten(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	testHalfWritten(s, s.watch(), halfWriters)
}
