package conf

import (
	"errors"
	"strings"
)

// checkCount is checkcount = N. The original warns of it.
var checkCount = kindOf("N", func(at *location, value string) (int, error) {
	n, err := originalNumber("invalid check count value", "invalid check count").read(at, value)
	if err == nil {
		at.warn(at.line, CodeDeprecated, "checkcount option is deprecated and slated for removal.  please see 'failurecount'")
	}
	return n, err
}).hinted("a number above 0")

// readMinAlive is minalive = N or P%: the real servers that checks alone leave in
// service.
func readMinAlive(_ *location, value string) (MinAlive, error) {
	s, percent := strings.CutSuffix(bareNumber(value), "%")
	n, err := exactNumber("minalive", s, 0)
	switch {
	case err != nil, percent && n > 100:
		return MinAlive{}, errors.New("minalive must be a number of real servers or a share such as 50%")
	case percent:
		return MinAlive{Percent: n}, nil
	}
	return MinAlive{Count: n}, nil
}
