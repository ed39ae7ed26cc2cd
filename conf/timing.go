package conf

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Timing is the times of a check.
type Timing struct {
	CheckInterval    time.Duration
	CheckTimeout     time.Duration // as in force: connect, ping, external
	NegotiateTimeout time.Duration // as in force: negotiate
	CheckCount       int           // attempts of one ping
	ChkLoop          int           // attempts at once of one check of any type
	FastInterval     time.Duration // between checks after a first failure, until the verdict; 0 is CheckInterval
	DownInterval     time.Duration // between checks of a real server after it went down; 0 is CheckInterval
	SlowLimit        time.Duration // a good answer that took longer is a failure; 0 is none
}

// checkCount is checkcount = N. The original warns of it.
var checkCount = kindOf("N", func(at *location, value string) (int, error) {
	n, err := originalNumber("invalid check count value", "invalid check count").read(at, value)
	if err == nil {
		at.warn(at.line, CodeDeprecated, "checkcount option is deprecated and slated for removal.  please see 'failurecount'")
	}
	return n, err
}).hinted("a number above 0")

// portion is N or P% of the real servers.
func portion(name string) kind[Portion] {
	return kindOf("N|N%", func(at *location, value string) (Portion, error) {
		s, percent := strings.CutSuffix(bareNumber(value), "%")
		n, err := exactNumber(at, s, 0)
		switch {
		case err != nil, percent && n > 100:
			return Portion{}, errors.New(name + " must be a number of real servers or a share such as 50%")
		case percent:
			return Portion{Percent: n}, nil
		}
		return Portion{Count: n}, nil
	})
}

// attemptTimeout is how long an attempt of v's own check may take, and the directive that says so.
func (v *VirtualService) attemptTimeout() (time.Duration, string) {
	switch v.CheckType {
	case CheckNegotiate:
		return v.NegotiateTimeout, "negotiatetimeout"
	case CheckCombined:
		return max(v.NegotiateTimeout, v.CheckTimeout), "negotiatetimeout"
	}
	return v.CheckTimeout, "checktimeout"
}

// adviseSlowLimit warns of a slowlimit that no answer in time can exceed.
func adviseSlowLimit(p *parser, b *block, name string) {
	v := b.v
	timeout, directive := v.attemptTimeout()
	if v.SlowLimit > 0 && v.SlowLimit >= timeout && v.CheckType != CheckOn && v.CheckType != CheckOff {
		p.advise(cmp.Or(b.lines["slowlimit"], v.Line), CodeUnusedDirective,
			fmt.Sprintf("slowlimit = %s has no effect on %s: an answer that takes %s has failed (%s)", v.SlowLimit, name, timeout, directive), "a slowlimit below that")
	}
}
