// Package policy decides by a configuration on the state of a real server: pure
// functions of their arguments, without a clock, a socket or the kernel.
package policy

import (
	"cmp"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// Timeout is how long one attempt of a check may take.
func Timeout(v *conf.VirtualService) time.Duration {
	if v.CheckType == conf.CheckNegotiate || v.CheckType == conf.CheckCombined {
		return v.NegotiateTimeout
	}
	return v.CheckTimeout
}

// Attempts is how many attempts in a row make a failed check.
func Attempts(v *conf.VirtualService) int {
	n := max(1, v.ChkLoop)
	if v.CheckType == conf.CheckPing {
		n *= max(1, v.CheckCount)
	}
	return n
}

// DownBounds returns how long a real server that fails receives traffic at most: refused
// if it refuses connections, silent if it does not answer. Both are the time to the last
// check that must fail; the second has the timeouts of its attempts besides.
func DownBounds(v *conf.VirtualService) (refused, silent time.Duration) {
	count := max(1, v.FailureCount)
	refused = v.CheckInterval + time.Duration(count-1)*cmp.Or(v.FastInterval, v.CheckInterval)
	return refused, refused + time.Duration(Attempts(v))*Timeout(v)
}
