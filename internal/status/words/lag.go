package words

import (
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

const (
	// Silence bounds a pause of the schedule; after it the daemon counts as stuck.
	Silence = 15 * time.Second
	// lateStart is the delay of a check that is reported, and the time that the director
	// may spend on one thing.
	lateStart = time.Second
)

// Behind returns how far the checks are behind their plan, one sentence each, and the
// level: a check that begins late finds a failure late, and the cause is this machine.
func Behind(l report.Lag) (Level, []string) {
	how := Fine
	var words []string
	say := func(l Level, format string, args ...any) {
		how = max(how, l)
		words = append(words, fmt.Sprintf(format, args...))
	}
	if l.Silent.Duration() > Silence {
		say(Bad, "no check was begun for %s: the schedule stands still", Span(l.Silent.Duration()))
	}
	switch {
	case l.Overdue == 1:
		say(Notable, "1 check is overdue")
	case l.Overdue > 1:
		say(Notable, "%d checks are overdue", l.Overdue)
	}
	if l.Worst.Duration() >= lateStart {
		say(Notable, "a check began %s after its time within the last minute", Span(l.Worst.Duration()))
	}
	if l.Turn.Duration() >= lateStart {
		say(Notable, "the director heard no results for %s within the last minute", Span(l.Turn.Duration()))
	}
	return how, words
}
