// Package words has the wording that the page and the terminal share: durations, the last
// check, remarks, and whether all is well.
package words

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// Span is a duration in words: "3ms", "12s", "2h05m", "3d04h".
func Span(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Clock is a moment, without the date if it is that of now.
func Clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2006-01-02 15:04")
}

// Large is a number in at most five characters: 99999, 100K, 1234K, 12M.
func Large(n uint64) string {
	for _, unit := range []string{"", "K", "M", "G", "T", "P"} {
		if n < 10_000 || unit == "" && n < 100_000 {
			return fmt.Sprintf("%d%s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%dE", n)
}

// OneLine is text as it fits into a line of a table: safetext.Line, valid UTF-8 and
// without tabs, which would shift the columns.
func OneLine(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(safetext.Line(text), "."), "\t", " ")
}

// LastCheck is the result of the last check of a real server, or its maintenance file.
func LastCheck(r *report.RealState) string {
	switch {
	case r.Maintenance != "":
		return "file " + r.Maintenance + " in the maintenance directory"
	case r.State == report.StateOff:
		return "checktype = off"
	case r.Last == nil:
		return ""
	case r.Failures > 0 && r.Failures < r.FailureCount && r.Up:
		return fmt.Sprintf("%s (failure %d of %d)", OneLine(r.Last.Text), r.Failures, r.FailureCount)
	}
	return OneLine(r.Last.Text)
}

// Remarks are what a reader has to know of a real server besides its last check.
func Remarks(r *report.RealState, now time.Time) []string {
	var list []string
	if o := r.Override; o != nil {
		words := OneLine(o.String())
		if !o.Until.IsZero() {
			words += ", " + Span(o.Until.Sub(now)) + " left"
		}
		list = append(list, words)
	}
	if !r.DampedUntil.IsZero() {
		list = append(list, "goes down too often (flapdamping): out until "+Clock(r.DampedUntil, now)+", or enable")
	}
	if !r.WaitingSince.IsZero() && r.State == report.StateWaiting {
		list = append(list, "its checks are good (return = byhand): waits for ldirectord enable "+r.Name+" since "+Clock(r.WaitingSince, now))
	}
	if !r.WaitingSince.IsZero() && r.State != report.StateWaiting {
		list = append(list, "comes back by enable alone (return = byhand)")
	}
	if !r.QuiescentUntil.IsZero() && r.Present {
		list = append(list, "weight 0 until "+Clock(r.QuiescentUntil, now)+", then removed (quiescenttime)")
	}
	if !r.QuiescentUntil.IsZero() && !r.Present {
		list = append(list, "removed at "+Clock(r.QuiescentUntil, now)+" (quiescenttime)")
	}
	if d := r.SelfDrain; d != nil && r.State == report.StateDown {
		list = append(list, "its own answer had drained it since "+Clock(d.Since, now)+": "+OneLine(d.Answer))
	}
	if (r.State == report.StateDown || r.State == report.StateDamped) && r.InService && r.Wanted > 0 {
		list = append(list, "stays in service: minalive")
	}
	switch {
	case r.OutReason == report.OutAsBackup:
		list = append(list, "backup, not needed")
	case r.Backup:
		list = append(list, "backup")
	}
	if r.OutReason == report.OutByQuorum {
		list = append(list, "out of service: too few are up for the quorum")
	}
	if len(r.EachCheck) > 1 {
		list = append(list, EachCheck(r.Several))
	}
	if r.Difference != "" {
		list = append(list, OneLine(r.Difference))
	}
	if r.At != r.Name {
		list = append(list, "in the kernel as "+r.At)
	}
	return list
}

// Silent are the words of an agent beside the checks for one question that it did not answer, or in no words of an
// agent (nonsense).
func Silent(nonsense bool) string {
	if nonsense {
		return "answers nonsense"
	}
	return "does not answer"
}

// Mute are the words of an agent for which IsMute is true.
func Mute(c report.CheckState) string { return Silent(c.Nonsense) + ", which changes nothing" }

// IsMute reports whether c is an agent beside the checks that said nothing that counts when it was asked last. What
// it has said before counts.
func IsMute(c report.CheckState) bool {
	return c.Beside && c.State != report.StateDown && c.Last != nil && !c.Last.Up
}

// EachCheck is what each of several checks of a real server says: "1 of 2 checks up, 2 needed:
// http up (failure 1 of 3): timeout; app down: connection refused".
func EachCheck(s report.Several) string {
	up, all, parts := 0, 0, make([]string, 0, len(s.EachCheck))
	for _, c := range s.EachCheck {
		if !c.Beside {
			all++
		}
		if c.State == report.StateUp && !c.Beside {
			up++
		}
		text := c.Name + " " + string(c.State)
		if c.Beside && c.State == report.StateUp && c.Last != nil && c.Last.Up {
			text = c.Name + " says " + OneLine(c.Last.Text)
		} else if IsMute(c) {
			text = c.Name + " " + Mute(c)
		} else if c.Silent {
			text += ", " + Silent(c.Nonsense) + " now"
		}
		if c.Failures > 0 && c.State == report.StateUp && !c.Beside {
			text += fmt.Sprintf(" (failure %d of %d)", c.Failures, c.FailureCount)
		}
		if c.Last != nil && !c.Last.Up {
			text += ": " + OneLine(c.Last.Text)
		}
		parts = append(parts, text)
	}
	each := strings.Join(parts, "; ")
	if all == 1 { // with an agent beside it
		return each
	}
	return fmt.Sprintf("%d of %d checks up, %d needed: %s", up, all, s.ChecksNeeded, each)
}

// Availability is the share of the known, unplanned time for which a real server was
// up, and how long it was out as planned.
func Availability(a report.Availability) string {
	counted := a.Up + a.Down
	planned := ""
	if a.Planned > 0 {
		planned = "planned out for " + Span(a.Planned.Duration())
	}
	switch {
	case counted > 0 && planned != "":
		planned = ", " + planned
	case counted > 0:
	case planned != "":
		return planned
	default:
		return "nothing is known of the last hours"
	}
	return fmt.Sprintf("up for %.1f%% of %s", 100*float64(a.Up)/float64(counted), Span(counted.Duration())) + planned
}

// stateSigns show states without colours.
var stateSigns = map[report.State]string{
	report.StateUp: "●", report.StateDown: "✕", report.StateUnchecked: "?", report.StateOff: "○", report.StateDamped: "≈", report.StateMaintenance: "⚒",
	report.StateDrained: "▽", report.StateDisabled: "⏻", report.StateForeign: "–", report.StateFallback: "↪",
	report.StateSelfDrained: "▿", report.StateWaiting: "◌",
}

// Sign is a character for a state, for readers who see no colours.
func Sign(s report.State) string { return stateSigns[s] }

// Searched is the text that a filter of real servers searches.
func Searched(v *report.VirtualState, r *report.RealState) string {
	return strings.Join([]string{v.ID, v.ServiceName, v.Check, r.Name, r.Host, string(r.State), LastCheck(r)}, " ")
}

// DryRun is the notice of a reader that shows a dry run.
const DryRun = "Dry run: real checks, the table is kept in memory, nothing is written to the kernel"

// Mark is what begins the title or headline of a dry run, "" for a daemon.
func Mark(dryRun bool) string {
	if dryRun {
		return "DRY RUN: "
	}
	return ""
}
