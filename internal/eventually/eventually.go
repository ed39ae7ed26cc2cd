// Package eventually is for tests that wait for what happens in other goroutines,
// processes or kernels. All of them wait with one bound, which is far above what
// a busy machine needs: only what never comes reaches it.
package eventually

import (
	"testing"
	"time"
)

// Limit is the bound. A test that compares how long something took allows it
// this much more than it should take, too: then the verdict is that it ended by
// itself, and not how busy the machine was.
const Limit = 2 * time.Minute

// interval is how often a condition is evaluated.
const interval = 5 * time.Millisecond

// True returns when ok does so with true, and ends the test when it has not
// within Limit. It calls ok at least once, and always on the caller's goroutine.
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

// InTime fails the test when what began at a time has taken longer than most and Limit.
func InTime(t testing.TB, what string, began time.Time, most time.Duration) {
	t.Helper()
	if took := time.Since(began); took > most+Limit {
		t.Errorf("%s took %v, want %v at most", what, took, most)
	}
}
