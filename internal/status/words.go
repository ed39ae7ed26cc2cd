package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// span is a duration as people say it: "3ms", "12s", "2h05m", "3d04h".
func span(d time.Duration) string {
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

// clock is a moment as it is shown beside others: without the date if it was
// today.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2006-01-02 15:04")
}

// large is a number in at most five characters: 99999, 100K, 1234K, 12M.
func large(n uint64) string {
	for _, unit := range []string{"", "K", "M", "G", "T", "P"} {
		if n < 10_000 || unit == "" && n < 100_000 {
			return fmt.Sprintf("%d%s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%dE", n)
}

// oneLine is text without what would break a line or a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\u202e' || r == '\ufeff' {
			return '.'
		}
		return r
	}, strings.ToValidUTF8(text, "."))
}

// lastWords is what the last check said.
func lastWords(r *report.RealState) string {
	switch {
	case r.Maintenance != "":
		return "file " + r.Maintenance + " in the maintenance directory"
	case r.Last == nil:
		return ""
	case r.Failures > 0 && r.Up:
		return fmt.Sprintf("%s (failure %d of %d)", oneLine(r.Last.Text), r.Failures, r.FailureCount)
	}
	return oneLine(r.Last.Text)
}

// remarks is what is to be said of a real server besides.
func remarks(r *report.RealState, now time.Time) []string {
	var list []string
	if o := r.Override; o != nil {
		words := oneLine(o.String())
		if !o.Until.IsZero() {
			words += ", " + span(o.Until.Sub(now)) + " left"
		}
		list = append(list, words)
	}
	if r.State == report.StateDown && r.InService && r.Wanted > 0 {
		list = append(list, "stays in service: minalive")
	}
	if r.Difference != "" {
		list = append(list, oneLine(r.Difference))
	}
	if r.At != r.Name {
		list = append(list, "in the kernel as "+r.At)
	}
	return list
}
