package report

import (
	"fmt"
	"strings"
)

// A Recheck is what becomes of a request to check real servers now.
type Recheck struct {
	Checks  int     `json:"checks"`                  // that are made: all but Running and Behind begin at once
	Running int     `json:"after_running,omitempty"` // of them those that run at present, and begin again when that ends
	Within  Seconds `json:"within_seconds,omitempty"`
	Behind  int     `json:"behind_limit,omitempty"` // of them those that wait for a free place
	Limit   int     `json:"limit,omitempty"`        // how many of these run at a time; 0 with Behind 0
	Unasked int     `json:"not_asked,omitempty"`    // real servers that have no checks: checktype = on or off
}

// String says what is made, and when.
func (c Recheck) String() string {
	if c.Checks == 0 {
		return "no check begins: nothing is asked (checktype = on or off)"
	}
	var parts []string
	if n := c.Checks - c.Running - c.Behind; n > 0 {
		parts = append(parts, count(n, "check begins", "checks begin")+" now")
	}
	if c.Running > 0 {
		parts = append(parts, fmt.Sprintf("%s running, and %s again after that, within %s",
			count(c.Running, "check is", "checks are"), choose(c.Running, "begins", "begin"), c.Within.Duration()))
	}
	if c.Behind > 0 {
		parts = append(parts, fmt.Sprintf("%s for others to end: %d run at a time", count(c.Behind, "check waits", "checks wait"), c.Limit))
	}
	if c.Unasked > 0 {
		parts = append(parts, count(c.Unasked, "real server is", "real servers are")+" not asked (checktype = on or off)")
	}
	return strings.Join(parts, "; ")
}

func count(n int, one, many string) string { return fmt.Sprintf("%d %s", n, choose(n, one, many)) }

func choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
