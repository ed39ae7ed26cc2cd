package conf

import (
	"errors"
	"strings"
	"time"
)

// setCheckTimeout is checktimeout = DURATION: for connect, ping and external.
func setCheckTimeout(at *place, value string) error {
	return at.duration(&at.settings.checkTimeout, value,
		"invalid check timeout value", "invalid check timeout")
}

// setNegotiateTimeout is negotiatetimeout = DURATION: for negotiate.
func setNegotiateTimeout(at *place, value string) error {
	return at.duration(&at.settings.negotiateTimeout, value,
		"invalid negotiate timeout value", "invalid negotiate timeout")
}

// setCheckInterval is checkinterval = DURATION: between two checks of a real
// server. Unlike the original this one honours it in a block whether fork is
// set or not.
func setCheckInterval(at *place, value string) error {
	return at.duration(&at.settings.checkInterval, value,
		"invalid check interval value", "invalid checkinterval")
}

// setCheckCount is checkcount = N: how often a ping is tried.
func setCheckCount(at *place, value string) error {
	err := at.count(&at.settings.checkCount, value, "invalid check count value", "invalid check count")
	if err == nil {
		at.warn(at.line, "checkcount option is deprecated and slated for removal.  please see 'failurecount'")
	}
	return err
}

// setFailureCount is failurecount = N: failed checks in a row until down.
func setFailureCount(at *place, value string) error {
	return at.count(&at.settings.failureCount, value, "invalid failure count value", "invalid failure count")
}

// duration reads the first duration of value into o. What is wrong with it is
// said in other words outside blocks than inside.
func (at *place) duration(o *optional[time.Duration], value, global, block string) error {
	d := firstDuration(value)
	if d == 0 {
		return at.either(global, block)
	}
	o.set(d)
	return nil
}

// count reads the first number of value into o, likewise.
func (at *place) count(o *optional[int], value, global, block string) error {
	n := firstNumber(value)
	if n == 0 {
		return at.either(global, block)
	}
	o.set(n)
	return nil
}

func (at *place) either(global, block string) error {
	if at.block == nil {
		return errors.New(global)
	}
	return errors.New(block)
}

// setRiseCount is risecount = N: good checks in a row until up again.
func setRiseCount(at *place, value string) error {
	n, err := exactNumber("risecount", value, 1)
	if err == nil {
		at.settings.riseCount.set(n)
	}
	return err
}

// setChkLoop is chkloop = N: tries at once of a check of any type.
func setChkLoop(at *place, value string) error {
	n, err := exactNumber("chkloop", value, 1)
	if err == nil {
		at.settings.chkLoop.set(n)
	}
	return err
}

// setFastInterval is fastinterval = DURATION: after a first failure.
func setFastInterval(at *place, value string) error {
	d, err := exactDuration("fastinterval", value)
	if err == nil {
		at.settings.fastInterval.set(d)
	}
	return err
}

// setDownInterval is downinterval = DURATION: while a real server is down.
func setDownInterval(at *place, value string) error {
	d, err := exactDuration("downinterval", value)
	if err == nil {
		at.settings.downInterval.set(d)
	}
	return err
}

// setSlowStart is slowstart = DURATION: in which the weight climbs.
func setSlowStart(at *place, value string) error {
	d, err := exactDuration("slowstart", value)
	if err == nil {
		at.settings.slowStart.set(d)
	}
	return err
}

// setMinAlive is minalive = N or P%: what checks alone never take out.
func setMinAlive(at *place, value string) error {
	s, percent := strings.CutSuffix(bareNumber(value), "%")
	n, err := exactNumber("minalive", s, 0)
	switch {
	case err != nil, percent && n > 100:
		return errors.New("minalive must be a number of real servers or a share such as 50%")
	case percent:
		at.settings.minAlive.set(MinAlive{Percent: n})
	default:
		at.settings.minAlive.set(MinAlive{Count: n})
	}
	return nil
}

// setQuiescent is quiescent = yes|no: a dead real server stays with weight 0.
func setQuiescent(at *place, value string) error {
	yes, err := yesNo("quiescent", value)
	at.settings.quiescent.set(yes)
	return err
}

// setCleanStop is cleanstop = yes|no: empty the kernel's table at the end.
func setCleanStop(at *place, value string) error {
	yes, err := yesNo("cleanstop", value)
	at.settings.cleanStop.set(yes)
	return err
}
