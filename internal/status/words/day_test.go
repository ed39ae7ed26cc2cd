package words

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

func TestDay(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 30, 40, 0, time.Local)
	day := func(up, down, planned time.Duration, known time.Duration) report.DayAvailability {
		d := report.DayAvailability{Availability: report.Availability{Up: report.InSeconds(up), Down: report.InSeconds(down), Planned: report.InSeconds(planned)}}
		if known > 0 {
			d.Since = now.Add(-known)
		}
		return d
	}
	for want, d := range map[string]report.DayAvailability{
		"nothing is known of the last day":                         day(0, 0, 0, 0),
		"up for 100% of 1d00h":                                     day(report.Day, 0, 0, report.Day),
		"up for 99.99% of 1d00h":                                   day(report.Day-time.Second, time.Second, 0, report.Day),
		"up for 99.92% of 23h00m, planned out for 1h00m":           day(23*time.Hour-time.Minute, time.Minute, time.Hour, report.Day),
		"up for 50% of 1h00m, known since 11:30":                   day(30*time.Minute, 30*time.Minute, 0, time.Hour),
		"up for 0% of less than a minute, known since 12:30":       day(0, 30*time.Second, 0, 30*time.Second),
		"no time counts, planned out for 2h00m, known since 10:30": day(0, 0, 2*time.Hour, 2*time.Hour),
		"up for 99.99% of 23h00m, known since 13:30":               day(23*time.Hour-time.Millisecond, time.Millisecond, 0, 23*time.Hour),
	} {
		if got := DayWords(d, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
