package status

import (
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

const (
	// silence is how long a schedule may stand still until the daemon counts as
	// stuck.
	silence = 15 * time.Second
	// lateStart is the delay of a check that is worth a word, and the time that
	// the director may be at one thing.
	lateStart = time.Second
)

// behind says, a sentence each, how far the checks are behind their plan, and
// how bad that is: checks that begin late find out late, and the cause is this
// machine.
func behind(l report.Lag) (level, []string) {
	how := fine
	var words []string
	say := func(l level, format string, args ...any) {
		how = max(how, l)
		words = append(words, fmt.Sprintf(format, args...))
	}
	if l.Silent.Duration() > silence {
		say(bad, "no check was begun for %s: the schedule stands still", span(l.Silent.Duration()))
	}
	switch {
	case l.Overdue == 1:
		say(notable, "1 check is overdue")
	case l.Overdue > 1:
		say(notable, "%d checks are overdue", l.Overdue)
	}
	if l.Worst.Duration() >= lateStart {
		say(notable, "a check began %s after its time within the last minute", span(l.Worst.Duration()))
	}
	if l.Turn.Duration() >= lateStart {
		say(notable, "the director heard no results for %s within the last minute", span(l.Turn.Duration()))
	}
	return how, words
}
