package importer

import (
	"cmp"
	"strconv"
	"strings"
)

// settings are what checkers inherit from their real server, and real servers
// from the virtual server. "" is not given.
type settings struct {
	interval, timeout    string // in seconds
	retries, beforeRetry string
	virtualHost          string
	quiescent            bool
	leastRetries         uint64 // that keepalived takes
}

// longestConnect is the longest connect_timeout in seconds: 32 bits of microseconds.
const longestConnect = 4294

// take reads n if it is one of the settings. add gets its faults.
func (s *settings) take(n *node, add func(note)) bool {
	seconds := func(to *string) {
		if !isSeconds(n.Word(0)) {
			add(lost(n.Line, "%s: that is no time", n))
			return
		}
		*to = n.Word(0)
	}
	switch n.Name() {
	case "delay_loop":
		seconds(&s.interval)
	case "connect_timeout":
		if f, err := strconv.ParseFloat(n.Word(0), 64); err == nil && f > longestConnect {
			add(lost(n.Line, "%s: that is no time up to %d", n, longestConnect))
			break
		}
		seconds(&s.timeout)
	case "delay_before_retry":
		seconds(&s.beforeRetry)
	case "retry", "nb_get_retry":
		if !isNumber(n.Word(0), s.leastRetries) {
			add(lost(n.Line, "%s: that is no number from %d on", n, s.leastRetries))
			break
		}
		s.retries = n.Word(0)
	case "virtualhost":
		if !expressible(n.Word(0)) || strings.ContainsAny(n.Word(0), ` "`) {
			add(lost(n.Line, "%s: that is no host name", n))
			break
		}
		s.virtualHost = n.Word(0)
	case "inhibit_on_failure":
		s.quiescent = isTrue(n)
	case "warmup", "log_all_failures": // checks are spread evenly, and each failure is in history
	default:
		return false
	}
	return true
}

// isTrue reads a keyword that may be followed by a boolean.
func isTrue(n *node) bool {
	switch strings.ToLower(n.Word(0)) {
	case "off", "no", "false":
		return false
	}
	return true
}

// isSeconds reports whether s is a time above 0 in seconds.
func isSeconds(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && f >= 0.001 && f <= 86400*365 && isDecimal(s)
}

// duration is a number of seconds as a directive has it.
func duration(s string) string {
	f, _ := strconv.ParseFloat(s, 64)
	if f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatInt(int64(f*1000), 10) + "ms"
}

// timing are the directives of when a check runs and counts. A checker may have
// its own number of retries and time before the first if none is given.
func (s settings) timing(timeout, retries, beforeRetry string) []string {
	d := []string{"checkinterval = " + duration(s.interval), timeout + " = " + duration(s.timeout)}
	n, _ := strconv.Atoi(cmp.Or(s.retries, retries))
	d = append(d, "failurecount = "+strconv.Itoa(n+1))
	if before := cmp.Or(s.beforeRetry, beforeRetry); n > 0 && before != "" && duration(before) != duration(s.interval) {
		d = append(d, "fastinterval = "+duration(before))
	}
	return d
}
