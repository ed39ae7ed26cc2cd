// Package policy decides by a configuration on the state of a real server: pure
// functions of their arguments, without a clock, a socket or the kernel.
package policy

import (
	"cmp"
	"slices"
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
		n *= max(1, v.CheckCount) // each is at most 1<<31 - 1
	}
	return n
}

// DownBounds returns how long a real server that fails all its checks receives traffic at
// most: refused if it refuses connections, silent if it does not answer. With several checks
// it is the time until so many of them are down that those needed cannot be up; of real
// servers with different checks it is the longest. Real servers that are never down are left out.
func DownBounds(v *conf.VirtualService) (refused, silent time.Duration) {
	if len(v.AlsoCheck) == 0 && len(v.InPlace) == 0 {
		return downBounds(v)
	}
	owns := []*conf.VirtualService{v}
	if v.CheckType == conf.CheckOff {
		owns = nil
	}
	for _, n := range v.InPlace {
		owns = append(owns, n.As)
	}
	for _, own := range owns {
		r, s := downTogether(v, own)
		refused, silent = max(refused, r), max(silent, s)
	}
	return refused, silent
}

// downTogether are the bounds of a real server with the check own and those of alsocheck.
func downTogether(v, own *conf.VirtualService) (refused, silent time.Duration) {
	var first, last []time.Duration
	add := func(v *conf.VirtualService) {
		if v.CheckType != conf.CheckOn { // which is never down
			r, s := downBounds(v)
			first, last = append(first, r), append(last, s)
		}
	}
	add(own)
	for _, n := range v.AlsoCheck {
		add(n.As)
	}
	slices.Sort(first)
	slices.Sort(last)
	checks := 1 + len(v.AlsoCheck)
	i := checks - Needed(v.ChecksNeeded, checks)
	if i >= len(first) { // one that is never down is enough
		return 0, 0
	}
	return first[i], last[i]
}

// FirstBound returns the time after which each real server of v has been checked at the latest, by
// each of its checks, and each agent beside them was asked.
func FirstBound(v *conf.VirtualService) (bound time.Duration) {
	for _, as := range v.EachCheck() {
		_, silent := downBounds(as)
		bound = max(bound, silent)
	}
	if agent := v.Agent(); agent != nil {
		_, silent := downBounds(agent)
		bound = max(bound, silent)
	}
	return bound
}

// downBounds are those of one check.
func downBounds(v *conf.VirtualService) (refused, silent time.Duration) {
	count := max(1, v.FailureCount)
	refused = v.CheckInterval + Times(count-1, cmp.Or(v.FastInterval, v.CheckInterval))
	return refused, refused + Times(Attempts(v), Timeout(v))
}

// forever is longer than any useful time, and far from an overflow of durations.
const forever = 50 * 365 * 24 * time.Hour

// Times returns n times d, at most forever: a file may have huge numbers.
func Times(n int, d time.Duration) time.Duration {
	if n > 0 && d > forever/time.Duration(n) {
		return forever
	}
	return time.Duration(n) * d
}
