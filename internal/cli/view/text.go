// Package view draws snapshots, histories and reasons on a terminal.
package view

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// checkOn is the word of a virtual service that has no checks: checktype = on.
const checkOn = "on"

// WriteTable writes a snapshot as people know it from "ipvsadm -L -n", with how
// each real server does beside it.
func WriteTable(w io.Writer, s *report.Snapshot) error {
	out := bufio.NewWriter(w)
	if s.DryRun {
		fmt.Fprintln(out, words.DryRun)
	}
	fmt.Fprintln(out, "Prot LocalAddress:Port Scheduler Flags")
	width := destinations(s)
	fmt.Fprintf(out, "  -> %-*s Forward Weight ActiveConn InActConn  Health\n", width, "RemoteAddress:Port")
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		fmt.Fprintln(out, words.OneLine(v.Listed+virtualRemark(v)))
		for j := range v.Reals {
			line := realLine(&v.Reals[j], width, s.Time)
			if v.Check == checkOn && v.Reals[j].State == report.StateUp {
				line += "; checktype = on" // nothing is checked
			}
			fmt.Fprintln(out, line)
		}
		for _, notice := range v.Notices {
			if slices.ContainsFunc(v.Reals, func(r report.RealState) bool { return r.Difference == notice }) {
				continue // its line has it
			}
			fmt.Fprintln(out, "     ! "+words.OneLine(notice))
		}
	}
	for _, line := range below(s) {
		fmt.Fprintln(out, line)
	}
	return out.Flush()
}

// below are the lines under a table.
func below(s *report.Snapshot) []string {
	var lines []string
	for _, o := range s.Overrides {
		lines = append(lines, words.OneLine(fmt.Sprintf("! %s (%s) is in no configuration, but has an order: %s", o.Real, o.Virtual, o)))
	}
	if s.Kernel.Error != "" {
		lines = append(lines, "! the kernel's table cannot be read: "+words.OneLine(s.Kernel.Error))
	}
	for _, line := range words.Beside(s) {
		lines = append(lines, words.OneLine(line))
	}
	for _, line := range words.Notify(s) {
		lines = append(lines, words.OneLine(line))
	}
	for _, w := range words.Outside(s) {
		lines = append(lines, "! "+words.OneLine(w))
	}
	if !s.Ready {
		lines = append(lines, fmt.Sprintf("! %d of %d checks have not been made yet", s.Lag.Unheard, s.Lag.Checks))
	}
	_, parts := words.Behind(s.Lag)
	for _, w := range parts {
		lines = append(lines, "! "+w)
	}
	return lines
}

func virtualRemark(v *report.VirtualState) string {
	var parts []string
	if v.Foreign {
		parts = append(parts, "not in the configuration")
	}
	if !v.Present {
		parts = append(parts, "not in the kernel")
	}
	if !v.Served && !v.Waits && !v.Foreign {
		parts = append(parts, "not served")
	}
	if v.FallbackIn {
		parts = append(parts, "the fallback is in")
	}
	if q := v.Quorum; q != nil && q.State != report.QuorumMet {
		parts = append(parts, q.Words())
	}
	if v.ServiceName != "" {
		parts = append(parts, v.ServiceName)
	}
	if len(parts) == 0 {
		return ""
	}
	return "   # " + strings.Join(parts, ", ")
}

// realLine is ipvsadm's line for a destination, and what ldirectord knows
// besides.
func realLine(r *report.RealState, width int, now time.Time) string {
	kernel := fmt.Sprintf("  -> %-*s %-7s %-6d %-10d %-10d", width, r.At, r.Forward, r.Weight, r.Active, r.Inactive)
	if !r.Present {
		kernel = fmt.Sprintf("  -> %-*s %-7s %-6s %-10s %-10s", width, r.At, r.Forward, "-", "-", "-")
	}
	return strings.TrimRight(kernel+" "+healthWords(r, now), " ")
}

// healthWords are the health of a real server in one line.
func healthWords(r *report.RealState, now time.Time) string {
	parts := []string{string(r.State)}
	if !r.Since.IsZero() && r.State != report.StateUnchecked && r.State != report.StateOff {
		parts[0] += " " + words.Span(now.Sub(r.Since))
	}
	if a := r.Availability; a.Down > 0 || a.Planned > 0 {
		parts = append(parts, words.Availability(a))
	}
	told := r.Difference != "" && r.Wanted == r.Configured // which names this weight, too
	if r.State != report.StateForeign && r.State != report.StateFallback && r.Present && r.Weight != r.Configured && !told {
		parts = append(parts, fmt.Sprintf("weight %d in the file", r.Configured))
	}
	if r.Persistent > 0 {
		parts = append(parts, fmt.Sprintf("%d persistent", r.Persistent))
	}
	if r.Last != nil {
		parts = append(parts, fmt.Sprintf("checked %s ago in %s", words.Span(now.Sub(r.Last.Time)), words.Span(r.Last.Took.Duration())))
	}
	if last := words.LastCheck(r); last != "" {
		parts = append(parts, last)
	}
	if r.At != r.Name {
		parts = append(parts, "configured as "+r.Name)
	}
	if r.Host != "" {
		parts = append(parts, "named "+r.Host)
	}
	for _, remark := range words.Remarks(r, now) {
		if !strings.HasPrefix(remark, "in the kernel as") {
			parts = append(parts, remark)
		}
	}
	return strings.Join(parts, "; ")
}

// WriteStats writes the kernel's counters as "ipvsadm -L -n --stats".
func WriteStats(w io.Writer, s *report.Snapshot) error {
	return writeCounters(w, s, "    Conns   InPkts  OutPkts  InBytes OutBytes", func(s report.Stats) []uint64 {
		return []uint64{s.Connections, s.InPackets, s.OutPackets, s.InBytes, s.OutBytes}
	})
}

// WriteRate writes the kernel's rates as "ipvsadm -L -n --rate".
func WriteRate(w io.Writer, s *report.Snapshot) error {
	return writeCounters(w, s, "      CPS    InPPS   OutPPS    InBPS   OutBPS", func(s report.Stats) []uint64 {
		return []uint64{s.ConnectionRate, s.InPacketRate, s.OutPacketRate, s.InByteRate, s.OutByteRate}
	})
}

func writeCounters(w io.Writer, s *report.Snapshot, head string, columns func(report.Stats) []uint64) error {
	out := bufio.NewWriter(w)
	if s.DryRun {
		fmt.Fprintln(out, words.DryRun)
	}
	width := widest(len("  -> ")+destinations(s), s.Virtuals, func(v report.VirtualState) string { return v.Kernel })
	fmt.Fprintf(out, "%-*s%s\n  -> RemoteAddress:Port\n", width, "Prot LocalAddress:Port", head)
	line := func(name string, stats report.Stats) {
		fmt.Fprintf(out, "%-*s", width, name)
		for _, n := range columns(stats) {
			fmt.Fprintf(out, "%9s", counter(n))
		}
		fmt.Fprintln(out)
	}
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		if !v.Present {
			continue
		}
		line(v.Kernel, v.Stats)
		for j := range v.Reals {
			if r := &v.Reals[j]; r.Present {
				line("  -> "+r.At, r.Stats)
			}
		}
	}
	return out.Flush()
}

// counter is a number as ipvsadm shortens it.
func counter(n uint64) string {
	if n < 100_000_000 {
		return fmt.Sprint(n)
	}
	switch {
	case n < 1_000_000_000:
		return fmt.Sprintf("%dK", n/1e3)
	case n < 100_000_000_000:
		return fmt.Sprintf("%dM", n/1e6)
	case n < 100_000_000_000_000:
		return fmt.Sprintf("%dG", n/1e9)
	}
	return fmt.Sprintf("%dT", n/1e12)
}

// WriteNotes writes a history.
func WriteNotes(w io.Writer, notes []report.Note) error {
	out := bufio.NewWriter(w)
	for _, n := range notes {
		after := ""
		if n.After > 0 {
			after = " (after " + words.Span(n.After.Duration()) + ")"
		}
		fmt.Fprintf(out, "%s %-22s %s%s\n", n.Time.Local().Format(time.DateTime), n.Virtual, words.OneLine(n.Text), after)
	}
	return out.Flush()
}

// WriteReasons writes why real servers are where they are.
func WriteReasons(w io.Writer, reasons []report.Reason) error {
	out := bufio.NewWriter(w)
	for i, why := range reasons {
		if i > 0 {
			fmt.Fprintln(out)
		}
		name := ""
		if why.Host != "" {
			name = " (" + words.OneLine(why.Host) + ")"
		}
		fmt.Fprintf(out, "%s%s of %s: %s\n", why.Real, name, why.Virtual, why.State)
		fmt.Fprintf(out, "    %s\n", words.OneLine(why.Because))
		if a := why.Availability; a.Down > 0 || a.Planned > 0 {
			fmt.Fprintf(out, "    %s\n", words.Availability(a))
		}
		for _, c := range why.EachCheck {
			fmt.Fprintf(out, "    check %-10s %s\n", words.OneLine(c.Name), checkLine(c))
		}
		if why.Interval > 0 && len(why.EachCheck) == 0 {
			fmt.Fprintf(out, "    asked every %s\n", words.Span(why.Interval.Duration()))
		}
		for _, a := range why.Answers {
			writeAnswer(out, a)
		}
	}
	return out.Flush()
}

// checkLine is the state of one of several checks.
func checkLine(c report.CheckState) string {
	line := string(c.State)
	if !c.Since.IsZero() && c.State != report.StateUnchecked {
		line += " since " + c.Since.Local().Format(time.DateTime)
	}
	switch {
	case words.IsMute(c) && c.State == report.StateUnchecked: // it has never answered
		line = words.Mute(c)
	case words.IsMute(c):
		line += ", " + words.Mute(c)
	case c.Silent:
		line += ", " + words.Silent(c.Nonsense) + " now"
	}
	switch {
	case c.Failures == 0 || c.Beside:
	case c.State == report.StateUp:
		line += fmt.Sprintf(", failure %d of %d", c.Failures, c.FailureCount)
	default:
		line += fmt.Sprintf(", %d failed in a row", c.Failures)
	}
	if c.Interval > 0 {
		line += ", asked every " + words.Span(c.Interval.Duration())
	}
	return line
}

func writeAnswer(w io.Writer, a report.Answer) {
	verdict := "up"
	switch {
	case a.Local:
		verdict = "could not be asked"
	case a.Silent:
		verdict = words.Silent(a.Nonsense)
	case !a.Up:
		verdict = "down"
	}
	attempts := ""
	if a.Attempts > 1 {
		attempts = fmt.Sprintf(", %d attempts", a.Attempts)
	}
	if a.Check != "" {
		verdict = words.OneLine(a.Check) + " " + verdict
	}
	fmt.Fprintf(w, "  %s  %s: %s\n", a.Time.Local().Format("2006-01-02 15:04:05.000"), verdict, words.OneLine(a.Text))
	fmt.Fprintf(w, "    asked     %s (%s%s)\n", words.OneLine(a.Asked), words.Span(a.Took.Duration()), attempts)
	if a.Sent != "" {
		fmt.Fprintf(w, "    sent      %q\n", a.Sent)
	}
	if a.Received != "" {
		fmt.Fprintf(w, "    received  %q\n", a.Received)
	}
}

// ConnectionsHead is the first line of a list of connections.
const ConnectionsHead = "pro expire state       source             virtual            destination"

// ConnectionLine is a connection as "ipvsadm -L -n -c" shows it, with columns for the
// longest address of its family.
func ConnectionLine(c wire.Connection) string {
	seconds, width := int(c.Expires), 18
	if strings.HasPrefix(c.Virtual, "[") {
		width = len("[2001:db8:1234:5678:9abc:def0:1234:5678]:65535")
	}
	return fmt.Sprintf("%-3s %02d:%02d  %-11s %-*s %-*s %s", c.Protocol, seconds/60, seconds%60, c.State, width, c.Client, width, c.Virtual, c.Real)
}
