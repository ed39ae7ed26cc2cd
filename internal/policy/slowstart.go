package policy

import "time"

// slowSteps is in how many steps a weight climbs after a real server has come back
// (slowstart).
const slowSteps = 10

// Reached returns the share of its weight, in percent, that a real server has reached after
// it has been back for so long. It is 100 without slowstart.
func Reached(slowstart, back time.Duration) uint8 {
	if slowstart <= 0 {
		return 100
	}
	done := int64(back) * slowSteps / int64(slowstart)
	return uint8(min(100, max(0, done+1)*100/slowSteps))
}
