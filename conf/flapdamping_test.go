package conf

import (
	"strings"
	"testing"
	"time"
)

func TestFlapDamping(t *testing.T) {
	for value, want := range map[string]FlapDamping{
		"3 in 60s": {3, time.Minute}, "3 in 60": {3, time.Minute}, "2 in 1.5m": {2, 90 * time.Second}, "20 in 1h": {20, time.Hour}, "no": {}, "0": {},
	} {
		got, err := readFlapDamping(nil, value)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", value, got, err, want)
		}
		if again, err := readFlapDamping(nil, got.String()); err != nil || again != got {
			t.Errorf("%q: %q is read as %+v, %v", value, got.String(), again, err)
		}
	}
	for _, value := range []string{"", "3", "yes", "3 in", "in 60s", "1 in 60s", "21 in 60s", "3 in 0", "3 in 999ms", "3 in 61m", "3 at 60s", "3 in 60s please", "-3 in 60s", "3 in none"} {
		if got, err := readFlapDamping(nil, value); err == nil || !strings.Contains(err.Error(), "3 in 60s") {
			t.Errorf("%q: %+v, %v, want an error with an example", value, got, err)
		}
	}
}
