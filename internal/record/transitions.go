package record

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// keptTransitions is how many are remembered.
const keptTransitions = 32

// Transitions has the last transitions of a real server, and counts how often it was gone
// or back. A nil *Transitions has none; only Add needs one.
type Transitions struct {
	last  []transition // the oldest first
	older *hours       // what was before them, nil if nothing was
	Total uint64       // how often it was gone or back; counted by the caller
}

// A transition is when a condition began, in Unix nanoseconds, of which the last two
// bits say which one.
type transition int64

const conditionBits = 3

// Add notes that a condition began, unless it is the present one.
func (t *Transitions) Add(is report.Condition, at time.Time) {
	if n := len(t.last); n > 0 && report.Condition(t.last[n-1]&conditionBits) == is {
		return
	}
	if len(t.last) == keptTransitions {
		t.sumUp()
		t.last = slices.Delete(t.last, 0, 1)
	}
	t.last = append(t.last, transition(at.UnixNano()&^conditionBits|int64(is)))
}

// Last returns the present condition and when it began, ConditionUnknown if there is none.
func (t *Transitions) Last() (since time.Time, is report.Condition) {
	if t == nil || len(t.last) == 0 {
		return time.Time{}, report.ConditionUnknown
	}
	n := t.last[len(t.last)-1]
	return time.Unix(0, int64(n&^conditionBits)), report.Condition(n & conditionBits)
}

// Any reports whether one is remembered.
func (t *Transitions) Any() bool { return t != nil && len(t.last) > 0 }

// Count returns Total.
func (t *Transitions) Count() uint64 {
	if t == nil {
		return 0
	}
	return t.Total
}

// List returns the last transitions, the oldest first.
func (t *Transitions) List() []report.Transition {
	if t == nil {
		return []report.Transition{}
	}
	list := make([]report.Transition, 0, len(t.last))
	for _, n := range t.last {
		list = append(list, report.Transition{Time: time.Unix(0, int64(n&^conditionBits)), Is: report.Condition(n & conditionBits)})
	}
	return list
}
