package checker

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A Wish takes the place of the error of a check: the real server is up, and its answer has a
// wish besides. The runner of the check turns it into a good result.
type Wish struct {
	Drains bool   // it wants no new connections
	Weighs bool   // it wants the weight Weight
	Weight int    // 0 also Drains
	Answer string // in words
}

// Error implements error. It is not shown.
func (w Wish) Error() string {
	if w.Drains {
		return "drains: " + w.Answer
	}
	return "weighs: " + w.Answer
}

// drained returns a Wish to drain if answer matches drain, nil if it does not; a nil Pattern
// matches nothing. Any other error is of the match.
func drained(drain *perlre.Pattern, answer []byte) error {
	if drain == nil {
		return nil
	}
	matched, err := drain.Match(answer)
	if err == nil && matched {
		err = Wish{Drains: true, Answer: fmt.Sprintf("receivedrain %s found in %s", safetext.Excerpt(drain.String()), safetext.Excerpt(answer))}
	}
	return err
}

// judged returns the verdict on an answer: nil if it is good, a Wish if it matches drain, which
// wins over receive. nil Patterns are no condition.
func judged(receive, drain *perlre.Pattern, answer []byte) error {
	if err := drained(drain, answer); err != nil {
		return err
	}
	return received(receive, answer)
}
