package policy

import (
	"testing"
	"time"
)

func TestReached(t *testing.T) {
	for _, tt := range []struct {
		slowstart, back time.Duration
		want            uint8
	}{
		{0, 0, 100},
		{0, time.Hour, 100},
		{10 * time.Second, 0, 10},
		{10 * time.Second, time.Second - 1, 10},
		{10 * time.Second, time.Second, 20},
		{10 * time.Second, 9 * time.Second, 100},
		{10 * time.Second, time.Hour, 100},
		{10 * time.Second, -time.Hour, 0}, // the clock was set back
	} {
		if got := Reached(tt.slowstart, tt.back); got != tt.want {
			t.Errorf("slowstart %s, back for %s: %d %%, want %d %%", tt.slowstart, tt.back, got, tt.want)
		}
	}
}
