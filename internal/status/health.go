package status

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A level is how bad something is.
type level uint8

const (
	fine level = iota
	notable
	bad
)

var levelWords = [...]string{fine: "fine", notable: "notable", bad: "bad"}

func (l level) String() string { return levelWords[l] }

// health is the answer to the question whether everything is well.
type health struct {
	level    level
	words    string
	troubles []string // one line each

	virtuals, reals, in, out, planned, overrides int // of out, planned is by order or maintenance
}

// judge looks at a whole snapshot. What concerns all comes first.
func judge(s *report.Snapshot) health {
	var h health
	if s.Kernel.Error != "" {
		h.trouble(bad, "the kernel's table cannot be read: "+s.Kernel.Error)
	}
	how, words := behind(s.Lag)
	for _, w := range words {
		h.trouble(how, w)
	}
	for i := range s.Virtuals {
		h.virtual(&s.Virtuals[i])
	}
	for _, o := range s.Overrides {
		h.overrides++
		h.trouble(notable, fmt.Sprintf("%s of %s is in no configuration, but has an order: %s", o.Real, o.Virtual, o))
	}
	for _, w := range outsideFaults(s) {
		h.trouble(notable, w)
	}
	h.words = h.sentence(s)
	return h
}

// outsideFaults is what is wrong with what the daemon depends on, one line each.
func outsideFaults(s *report.Snapshot) []string {
	var lines []string
	for _, f := range s.Outside {
		lines = append(lines, f.String())
	}
	if s.Maintenance != nil {
		lines = append(lines, s.Maintenance.Faults()...)
	}
	return lines
}

func (h *health) trouble(l level, words string) {
	h.level = max(h.level, l)
	h.troubles = append(h.troubles, oneLine(words))
}

func (h *health) virtual(v *report.VirtualState) {
	if v.Foreign {
		return
	}
	h.virtuals++
	h.in += v.In
	configured, unchecked := 0, false
	for i := range v.Reals {
		r := &v.Reals[i]
		if r.Override != nil {
			h.overrides++
		}
		if !r.Fallback && r.State != report.StateForeign {
			configured++
			unchecked = unchecked || r.State == report.StateUnchecked
			h.level = max(h.level, realLevel(r))
			if planned(r) {
				h.planned++
			}
		}
	}
	h.reals += configured
	h.out += configured - v.In
	switch {
	case !v.Present:
		h.trouble(bad, "virtual service "+v.ID+" is not in the kernel")
	case v.In == 0 && unchecked:
		h.trouble(notable, "no real server of "+v.ID+" is in: some have not been checked yet")
	case v.In == 0 && v.FallbackIn:
		h.trouble(bad, "no real server of "+v.ID+" is in: fallback "+v.Fallback+" serves")
	case v.In == 0:
		h.trouble(bad, "no real server of "+v.ID+" is in, and there is no fallback")
	}
	for _, notice := range v.Notices {
		h.trouble(notable, notice)
	}
}

// realLevel is how bad it stands with one real server.
func realLevel(r *report.RealState) level {
	switch r.State {
	case report.StateDown:
		return bad
	case report.StateUp, report.StateFallback, report.StateForeign:
		if r.Failures > 0 || r.Difference != "" || r.Override != nil {
			return notable
		}
		return fine
	}
	return notable
}

// planned says whether a real server is out of service by an order or a
// maintenance file.
func planned(r *report.RealState) bool {
	return r.Maintenance != "" || r.Override != nil && (r.Override.Verb == report.Drain || r.Override.Verb == report.Disable)
}

// areOut is the beginning of a sentence about n real servers.
func (h *health) areOut(n int) string {
	if n == 1 {
		return fmt.Sprintf("1 of %d real servers is", h.reals)
	}
	return fmt.Sprintf("%d of %d real servers are", n, h.reals)
}

func (h *health) sentence(s *report.Snapshot) string {
	switch {
	case !s.Ready:
		return fmt.Sprintf("%d of %d checks have not been made yet", s.Lag.Unheard, s.Lag.Checks)
	case h.reals == 0:
		return "No real server is configured"
	case h.out > h.planned && h.planned > 0:
		return fmt.Sprintf("%s out, and %d more as planned", h.areOut(h.out-h.planned), h.planned)
	case h.out > h.planned:
		return h.areOut(h.out) + " out"
	case h.out > 0:
		return h.areOut(h.out) + " out as planned"
	case h.level == fine:
		return "All is well"
	}
	return fmt.Sprintf("All %d real servers are in, but look below", h.reals)
}
