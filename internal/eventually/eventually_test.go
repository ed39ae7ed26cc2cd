package eventually

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestHolds(t *testing.T) {
	for after, want := range map[time.Duration]bool{0: true, time.Second: true, Limit: true, 2 * Limit: false} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			if got := Holds(func() bool { return time.Since(began) >= after }); got != want {
				t.Errorf("what comes after %v: %v, want %v", after, got, want)
			}
			if took, most := time.Since(began), min(after, Limit)+interval; took > most {
				t.Errorf("what comes after %v took %v, want %v at most", after, took, most)
			}
		})
	}
}
