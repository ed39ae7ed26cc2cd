package words

import (
	"fmt"
	"math"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// Share is the part of the known, unplanned time of a day for which a real server was up, in
// percent; "" if none is known. It is never rounded up: 100% is the whole time.
func Share(d report.DayAvailability) string {
	if d.Up+d.Down <= 0 {
		return ""
	}
	hundredths := math.Floor(10_000*upShare(d) + 1e-6)
	if hundredths == 10_000 && d.Down >= 0.001 {
		hundredths--
	}
	return fmt.Sprintf("%.4g%%", hundredths/100)
}

// KnownSince is the time of day since which a day is known, "" if all of it is.
func KnownSince(d report.DayAvailability, now time.Time) string {
	if d.Since.IsZero() || now.Sub(d.Since) > report.Day-time.Minute {
		return ""
	}
	return d.Since.Local().Format("15:04")
}

// DayWords is the availability of a day in one line, in whole minutes.
func DayWords(d report.DayAvailability, now time.Time) string {
	share := Share(d)
	planned := ""
	if minutes := d.Planned.Duration().Truncate(time.Minute); minutes > 0 {
		planned = ", planned out for " + Span(minutes)
	}
	if share == "" && planned == "" {
		return "nothing is known of the last day"
	}
	line := "no time counts"
	if share != "" {
		line = "up for " + share + " of "
		if counted := (d.Up + d.Down).Duration().Truncate(time.Minute); counted > 0 {
			line += Span(counted)
		} else {
			line += "less than a minute"
		}
	}
	line += planned
	if since := KnownSince(d, now); since != "" {
		line += ", known since " + since
	}
	return line
}
