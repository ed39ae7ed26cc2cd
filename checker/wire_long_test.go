//go:build long

package checker_test

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLongOverAWire is TestOverAWire with more than 100,000 checks at each delay,
// 2,400 of each kind. Not one may fail.
func TestLongOverAWire(t *testing.T) {
	if !lab.Apart(t) {
		return
	}
	const each = 2400
	checkOverWires(t, wireRow{0, each, each}, wireRow{100 * time.Microsecond, each, each}, wireRow{2 * time.Millisecond, each, each}, wireRow{50 * time.Millisecond, each, each})
}
