package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FlapDamping is when a real server that goes down again and again is kept out of service: after
// Count times within Within. The zero FlapDamping is never.
type FlapDamping struct {
	Count  int
	Within time.Duration
}

// On reports whether there is flap damping at all.
func (f FlapDamping) On() bool { return f.Count > 0 }

// String is the notation of the file.
func (f FlapDamping) String() string {
	if !f.On() {
		return "no"
	}
	return fmt.Sprintf("%d in %ss", f.Count, strconv.FormatFloat(f.Within.Seconds(), 'f', -1, 64))
}

// The limits of flapdamping: at the bound a real server is kept out for 16 times as long.
const (
	mostDowns      = 20
	longestDamping = time.Hour
)

// readFlapDamping is flapdamping = N in DURATION, or no.
func readFlapDamping(_ *location, value string) (FlapDamping, error) {
	wrong := fmt.Errorf("flapdamping must be a number of times from 2 to %d and the time for them, from 1s to 1h, such as 3 in 60s; or no", mostDowns)
	words := strings.Fields(value)
	if len(words) == 1 && (words[0] == "no" || words[0] == "0") {
		return FlapDamping{}, nil
	}
	if len(words) != 3 || words[1] != "in" {
		return FlapDamping{}, wrong
	}
	count := int(number(words[0], mostDowns+1))
	within, err := exactDuration("flapdamping", words[2])
	if err != nil || !isNumber(words[0]) || count < 2 || count > mostDowns || within < time.Second || within > longestDamping {
		return FlapDamping{}, wrong
	}
	return FlapDamping{Count: count, Within: within}, nil
}
