// Package eventually is for tests that wait for other goroutines, processes or
// kernels. All waits have one limit, far above the needs of a busy machine: only a
// condition that never comes true reaches it.
package eventually

import (
	"testing"
	"time"
)

// Limit is the limit of a wait. A test that measures a duration adds Limit to the
// expected maximum: then it fails on a missing end and not on a busy machine.
const Limit = 2 * time.Minute

// interval is the time between two evaluations of a condition.
const interval = 5 * time.Millisecond

// True returns when ok returns true, and ends the test after Limit. It calls ok at
// least once, and always on the caller's goroutine.
func True(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Holds(ok) {
		t.Fatalf("%s: not within %v", what, Limit)
	}
}

// Holds reports whether ok returned true within Limit.
func Holds(ok func() bool) bool {
	for end := time.Now().Add(Limit); !ok(); time.Sleep(interval) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// InTime fails the test when more than most and Limit have passed since began.
func InTime(t testing.TB, what string, began time.Time, most time.Duration) {
	t.Helper()
	if took := time.Since(began); took > most+Limit {
		t.Errorf("%s took %v, want %v at most", what, took, most)
	}
}
