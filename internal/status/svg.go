package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// The server draws the pictures, so that the page needs no script for them.

const (
	stripHours = 24
	stripWidth = 120
	stripFine  = time.Minute // the resolution of a strip, and the time between two moves
	sparkWidth = 80
	sparkTall  = 18
)

// strip draws when a real server was up in the last day. Unknown time stays empty.
func strip(b *strings.Builder, r *report.RealState, now time.Time) {
	now = now.Truncate(stripFine).Add(stripFine)
	begin := now.Add(-stripHours * time.Hour)
	x := func(t time.Time) float64 {
		return stripWidth * float64(max(0, t.Sub(begin))) / float64(now.Sub(begin))
	}
	var rects strings.Builder
	rect := func(class string, from, to time.Time) {
		if from = later(from, begin); to.After(from) && class != "" {
			fmt.Fprintf(&rects, `<rect class="%s" x="%.1f" width="%.1f" height="12"/>`, class, min(x(from), stripWidth-1), max(1, x(to)-x(from)))
		}
	}
	for _, h := range r.Hours {
		end := h.Begin.Add(time.Hour)
		if len(r.Conditions) > 0 && r.Conditions[0].Time.Before(end) {
			end = r.Conditions[0].Time
		}
		rect(hourClass(h), h.Begin, end)
	}
	for i, t := range r.Conditions {
		to := now
		if i+1 < len(r.Conditions) {
			to = r.Conditions[i+1].Time
		}
		rect(conditionClasses[t.Is], t.Time, to)
	}
	label := text(words.DayWords(r.Day, now))
	fmt.Fprintf(b, `<svg class="strip" role="img" aria-label="%s" viewBox="0 0 %d 12" width="%d" height="12"><title>%s</title>%s</svg>`,
		label, stripWidth, stripWidth, label, rects.String())
}

var conditionClasses = map[report.Condition]string{
	report.ConditionUp: "up", report.ConditionDown: "down", report.ConditionPlanned: "planned",
}

// hourClass is "mixed" for an hour in which a real server was up and down.
func hourClass(h report.Hour) string {
	switch {
	case h.Up > 0 && h.Down > 0:
		return "mixed"
	case h.Down > 0:
		return "down"
	case h.Up > 0:
		return "up"
	case h.Planned > 0:
		return "planned"
	}
	return ""
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// spark draws the durations of the last checks.
func spark(b *strings.Builder, latencies []time.Duration) {
	if len(latencies) < 2 {
		return
	}
	most := latencies[0]
	for _, l := range latencies {
		most = max(most, l)
	}
	label := "the last " + fmt.Sprint(len(latencies)) + " checks took up to " + words.Span(most)
	fmt.Fprintf(b, `<svg class="spark" role="img" aria-label="%s" viewBox="0 0 %d %d" width="%d" height="%d"><title>%s</title><polyline points="`,
		label, sparkWidth, sparkTall, sparkWidth, sparkTall, label)
	for i, l := range latencies {
		x := float64(i) * sparkWidth / float64(len(latencies)-1)
		y := (sparkTall - 2) * (1 - float64(l)/float64(max(most, 1)))
		fmt.Fprintf(b, "%.0f,%.1f ", x, y+1)
	}
	b.WriteString(`"/></svg>`)
}
