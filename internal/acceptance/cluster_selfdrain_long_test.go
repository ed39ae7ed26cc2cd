//go:build long

package acceptance

import (
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLongClusterSelfDrain is TestClusterSelfDrain with the how-tos' "ab -c 100 -n 10000",
// for each method and both values of quiescent.
func TestLongClusterSelfDrain(t *testing.T) {
	selfDrain(t, []drainRun{
		{lab.DR, "gate", "no", 2, 10000, 100, false},
		{lab.DR, "gate", "yes", 2, 10000, 100, true},
		{lab.NAT, "masq", "no", 2, 10000, 100, false},
		{lab.NAT, "masq", "yes", 2, 10000, 100, true},
		{lab.Tun, "ipip", "no", 2, 10000, 100, false},
		{lab.Tun, "ipip", "yes", 2, 10000, 100, true},
	})
}
