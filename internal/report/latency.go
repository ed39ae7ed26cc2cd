package report

import (
	"slices"
	"time"
)

// LatencyBuckets is the length of Checks.Buckets.
const LatencyBuckets = len(latencyBounds) + 1

var latencyBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// LatencyBounds returns the upper bounds of Checks.Buckets. The last bucket has none.
func LatencyBounds() []time.Duration { return slices.Clone(latencyBounds[:]) }
