package status

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// WriteTable writes a snapshot as people know it from "ipvsadm -L -n", with how
// each real server does beside it.
func WriteTable(w io.Writer, s *report.Snapshot) error {
	out := bufio.NewWriter(w)
	if s.DryRun {
		fmt.Fprintln(out, DryRunWords)
	}
	fmt.Fprintln(out, "Prot LocalAddress:Port Scheduler Flags")
	fmt.Fprintln(out, "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn  Health")
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		fmt.Fprintln(out, oneLine(v.Listed+virtualRemark(v)))
		for j := range v.Reals {
			fmt.Fprintln(out, realLine(&v.Reals[j], s.Time))
		}
		for _, notice := range v.Notices {
			fmt.Fprintln(out, "     ! "+oneLine(notice))
		}
	}
	for _, line := range below(s) {
		fmt.Fprintln(out, line)
	}
	return out.Flush()
}

// below is what is to be said under a table.
func below(s *report.Snapshot) []string {
	var lines []string
	for _, o := range s.Overrides {
		lines = append(lines, oneLine(fmt.Sprintf("! %s (%s) is in no configuration, but has an order: %s", o.Real, o.Virtual, o)))
	}
	if s.Kernel.Error != "" {
		lines = append(lines, "! the kernel's table cannot be read: "+oneLine(s.Kernel.Error))
	}
	for _, w := range outsideFaults(s) {
		lines = append(lines, "! "+oneLine(w))
	}
	if !s.Ready {
		lines = append(lines, fmt.Sprintf("! %d of %d checks have not been made yet", s.Lag.Unheard, s.Lag.Checks))
	}
	_, words := behind(s.Lag)
	for _, w := range words {
		lines = append(lines, "! "+w)
	}
	return lines
}

func virtualRemark(v *report.VirtualState) string {
	var words []string
	if v.Foreign {
		words = append(words, "not in the configuration")
	}
	if !v.Present {
		words = append(words, "not in the kernel")
	}
	if v.FallbackIn {
		words = append(words, "the fallback is in")
	}
	if v.ServiceName != "" {
		words = append(words, v.ServiceName)
	}
	if len(words) == 0 {
		return ""
	}
	return "   # " + strings.Join(words, ", ")
}

// realLine is ipvsadm's line for a destination, and what ldirectord knows
// besides.
func realLine(r *report.RealState, now time.Time) string {
	kernel := fmt.Sprintf("  -> %-28s %-7s %-6d %-10d %-10d", r.At, r.Forward, r.Weight, r.Active, r.Inactive)
	if !r.Present {
		kernel = fmt.Sprintf("  -> %-28s %-7s %-6s %-10s %-10s", r.At, r.Forward, "-", "-", "-")
	}
	return strings.TrimRight(kernel+" "+healthWords(r, now), " ")
}

// healthWords are all that is known of a real server's health in one line.
func healthWords(r *report.RealState, now time.Time) string {
	words := []string{string(r.State)}
	if !r.Since.IsZero() && r.State != report.StateUnchecked {
		words[0] += " " + span(now.Sub(r.Since))
	}
	if a := r.Availability; a.Down > 0 || a.Planned > 0 {
		words = append(words, availabilityWords(a))
	}
	if r.State != report.StateForeign && r.State != report.StateFallback && r.Present && r.Weight != r.Configured {
		words = append(words, fmt.Sprintf("weight %d in the file", r.Configured))
	}
	if r.Persistent > 0 {
		words = append(words, fmt.Sprintf("%d persistent", r.Persistent))
	}
	if r.Last != nil {
		words = append(words, fmt.Sprintf("checked %s ago in %s", span(now.Sub(r.Last.Time)), span(r.Last.Took.Duration())))
	}
	if last := lastWords(r); last != "" {
		words = append(words, last)
	}
	if r.At != r.Name {
		words = append(words, "configured as "+r.Name)
	}
	for _, remark := range remarks(r, now) {
		if !strings.HasPrefix(remark, "in the kernel as") {
			words = append(words, remark)
		}
	}
	return strings.Join(words, "; ")
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
		fmt.Fprintln(out, DryRunWords)
	}
	fmt.Fprintf(out, "%-33s%s\n  -> RemoteAddress:Port\n", "Prot LocalAddress:Port", head)
	line := func(name string, stats report.Stats) {
		fmt.Fprintf(out, "%-33s", name)
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
				line(fmt.Sprintf("  -> %-28s", r.At), r.Stats)
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
			after = " (after " + span(n.After.Duration()) + ")"
		}
		fmt.Fprintf(out, "%s %-22s %s%s\n", n.Time.Local().Format(time.DateTime), n.Virtual, oneLine(n.Text), after)
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
		fmt.Fprintf(out, "%s of %s: %s\n", why.Real, why.Virtual, why.State)
		fmt.Fprintf(out, "    %s\n", oneLine(why.Because))
		if a := why.Availability; a.Down > 0 || a.Planned > 0 {
			fmt.Fprintf(out, "    %s\n", availabilityWords(a))
		}
		if why.Interval > 0 {
			fmt.Fprintf(out, "    asked every %s\n", span(why.Interval.Duration()))
		}
		for _, a := range why.Answers {
			writeAnswer(out, a)
		}
	}
	return out.Flush()
}

func writeAnswer(w io.Writer, a report.Answer) {
	verdict := "up"
	switch {
	case a.Local:
		verdict = "could not be asked"
	case !a.Up:
		verdict = "down"
	}
	attempts := ""
	if a.Attempts > 1 {
		attempts = fmt.Sprintf(", %d attempts", a.Attempts)
	}
	fmt.Fprintf(w, "  %s  %s: %s\n", a.Time.Local().Format("2006-01-02 15:04:05.000"), verdict, oneLine(a.Text))
	fmt.Fprintf(w, "    asked     %s (%s%s)\n", oneLine(a.Asked), span(a.Took.Duration()), attempts)
	if a.Sent != "" {
		fmt.Fprintf(w, "    sent      %q\n", a.Sent)
	}
	if a.Received != "" {
		fmt.Fprintf(w, "    received  %q\n", a.Received)
	}
}

// ConnectionsHead is the first line of a list of connections.
const ConnectionsHead = "pro expire state       source             virtual            destination"

// Line is a connection as "ipvsadm -L -n -c" shows it.
func (c Connection) Line() string {
	seconds := int(c.Expires)
	return fmt.Sprintf("%-3s %02d:%02d  %-11s %-18s %-18s %s", c.Protocol, seconds/60, seconds%60, c.State, c.Client, c.Virtual, c.Real)
}
