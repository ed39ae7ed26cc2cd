package words

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A Level is how bad something is.
type Level uint8

// The levels, from the best to the worst.
const (
	Fine Level = iota
	Notable
	Bad
)

var levelWords = [...]string{Fine: "fine", Notable: "notable", Bad: "bad"}

// String is the word of a level, which is also its class on the page.
func (l Level) String() string { return levelWords[l] }

// Health is whether all is well.
type Health struct {
	Level    Level
	Words    string
	Troubles []string // one line each

	Virtuals, Reals, In, Out, Planned, Overrides int // Planned of Out are out by order or maintenance
}

// Judge judges a whole snapshot. Troubles that concern all come first.
func Judge(s *report.Snapshot) Health {
	var h Health
	if s.Kernel.Error != "" {
		h.trouble(Bad, "the kernel's table cannot be read: "+s.Kernel.Error)
	}
	how, words := Behind(s.Lag)
	for _, w := range words {
		h.trouble(how, w)
	}
	for i := range s.Virtuals {
		h.virtual(&s.Virtuals[i])
	}
	for _, at := range s.Addresses {
		if !at.Served && !at.Waits && s.Ready {
			h.trouble(Notable, at.String())
		}
	}
	for _, o := range s.Overrides {
		h.Overrides++
		h.trouble(Notable, fmt.Sprintf("%s of %s is in no configuration, but has an order: %s", o.Real, o.Virtual, o))
	}
	for _, w := range Outside(s) {
		h.trouble(Notable, w)
	}
	h.Words = h.sentence(s)
	return h
}

// Outside are the faults of what the daemon depends on, one line each.
func Outside(s *report.Snapshot) []string {
	var lines []string
	for _, f := range s.Outside {
		lines = append(lines, f.String())
	}
	if s.Maintenance != nil {
		lines = append(lines, s.Maintenance.Faults()...)
	}
	return lines
}

func (h *Health) trouble(l Level, words string) {
	h.Level = max(h.Level, l)
	h.Troubles = append(h.Troubles, OneLine(words))
}

// virtual adds a virtual service, and returns the level of what concerns it as a whole.
func (h *Health) virtual(v *report.VirtualState) (own Level) {
	if v.Foreign {
		return Fine
	}
	h.Virtuals++
	h.In += v.In
	configured, off, unchecked := 0, 0, false
	for i := range v.Reals {
		r := &v.Reals[i]
		if r.Override != nil {
			h.Overrides++
		}
		if r.OutReason == report.OutAsBackup {
			h.Level = max(h.Level, LevelOf(r))
			continue
		}
		if !r.Fallback && r.State != report.StateForeign {
			configured++
			unchecked = unchecked || r.State == report.StateUnchecked
			if r.State == report.StateOff {
				off++
			}
			h.Level = max(h.Level, LevelOf(r))
			if planned(r) {
				h.Planned++
			}
		}
	}
	h.Reals += configured
	h.Out += configured - v.In
	whole := func(l Level, words string) {
		own = max(own, l)
		h.trouble(l, words)
	}
	switch {
	case !v.Present:
		whole(Bad, "virtual service "+v.ID+" is not in the kernel")
	case v.In == 0 && unchecked:
		whole(Notable, "no real server of "+v.ID+" is in: some have not been checked yet")
	case v.In == 0 && off > 0 && off == configured:
		whole(Notable, "no real server of "+v.ID+" is in: checktype = off")
	case v.In == 0 && v.FallbackIn:
		whole(Bad, "no real server of "+v.ID+" is in: fallback "+v.Fallback+" serves")
	case v.In == 0:
		whole(Bad, "no real server of "+v.ID+" is in, and there is no fallback")
	}
	if q := v.Quorum; q != nil && q.State == report.QuorumLost {
		whole(Bad, v.ID+": "+q.Words())
	}
	for _, notice := range v.Notices {
		whole(Notable, notice)
	}
	return own
}

// LevelOf judges one real server.
func LevelOf(r *report.RealState) Level {
	switch r.State {
	case report.StateDown:
		if r.SelfDrain != nil { // as it has announced
			return Notable
		}
		return Bad
	case report.StateDamped:
		if !r.Up {
			return Bad
		}
		return Notable
	case report.StateUp, report.StateFallback, report.StateForeign:
		if r.Failures > 0 || r.OutReason == report.OutByQuorum || r.Difference != "" || r.Override != nil {
			return Notable
		}
		return Fine
	}
	return Notable
}

// planned reports whether a real server is out of service by the configuration, an order,
// a maintenance file or its own answer.
func planned(r *report.RealState) bool {
	return r.State == report.StateOff || r.SelfDrain != nil || r.Maintenance != "" || r.Override != nil && (r.Override.Verb == report.Drain || r.Override.Verb == report.Disable)
}

// areOut is the beginning of a sentence about n real servers.
func (h *Health) areOut(n int) string {
	if n == 1 {
		return fmt.Sprintf("1 of %d real servers is", h.Reals)
	}
	return fmt.Sprintf("%d of %d real servers are", n, h.Reals)
}

func (h *Health) sentence(s *report.Snapshot) string {
	switch {
	case !s.Ready:
		return fmt.Sprintf("%d of %d checks have not been made yet", s.Lag.Unheard, s.Lag.Checks)
	case h.Reals == 0:
		return "No real server is configured"
	case h.Out > h.Planned && h.Planned > 0:
		return fmt.Sprintf("%s out, and %d more as planned", h.areOut(h.Out-h.Planned), h.Planned)
	case h.Out > h.Planned:
		return h.areOut(h.Out) + " out"
	case h.Out > 0:
		return h.areOut(h.Out) + " out as planned"
	case h.Level == Fine:
		return "All is well"
	}
	return fmt.Sprintf("All %d real servers are in, but look below", h.Reals)
}
