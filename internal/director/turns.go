package director

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// keptTurns is how many changes are remembered of each real server.
const keptTurns = 32

// turns are the last ones and how often the real server was gone or back; nil is
// none.
type turns struct {
	last  []turn // from the oldest on
	total uint64

	outSince time.Time // since when maintenance lasts; meaningful while it does
	ended    string    // the file whose maintenance is over, until a check has said how it is; "" is none
}

// A turn is when a condition began, in Unix nanoseconds, of which the last two
// bits say which one.
type turn int64

const conditionBits = 3

func (t *turns) add(is report.Condition, at time.Time) {
	if n := len(t.last); n > 0 && report.Condition(t.last[n-1]&conditionBits) == is {
		return
	}
	if len(t.last) == keptTurns {
		t.last = slices.Delete(t.last, 0, 1)
	}
	t.last = append(t.last, turn(at.UnixNano()&^conditionBits|int64(is)))
}

// now is the last condition and since when it lasts; ConditionUnknown if there is none.
func (t *turns) now() (since time.Time, is report.Condition) {
	if t == nil || len(t.last) == 0 {
		return time.Time{}, report.ConditionUnknown
	}
	n := t.last[len(t.last)-1]
	return time.Unix(0, int64(n&^conditionBits)), report.Condition(n & conditionBits)
}

// count is how often the real server was ever gone or back.
func (t *turns) count() uint64 {
	if t == nil {
		return 0
	}
	return t.total
}

// list is the last turns, from the oldest on.
func (t *turns) list() []report.Transition {
	if t == nil {
		return []report.Transition{}
	}
	list := make([]report.Transition, 0, len(t.last))
	for _, n := range t.last {
		list = append(list, report.Transition{Time: time.Unix(0, int64(n&^conditionBits)), Is: report.Condition(n & conditionBits)})
	}
	return list
}

// condition is that of r.
func (r *real) condition() report.Condition {
	switch {
	case r.maintenance != "", r.out(), r.maintenanceOver():
		return report.ConditionPlanned
	case r.verdict == up && !r.unchecked:
		return report.ConditionUp
	case r.verdict == down:
		return report.ConditionDown
	}
	return report.ConditionUnknown
}

// noteCondition remembers since when r is in its condition, if that is new.
func (r *real) noteCondition(now time.Time) {
	if r.turns == nil {
		r.turns = new(turns)
	}
	r.turns.add(r.condition(), now)
}

// beginConditions notes the condition of r before the first change of it.
func (r *real) beginConditions() {
	if r.turns == nil || len(r.turns.last) == 0 {
		r.noteCondition(r.since)
	}
}

// history is the turns of r, which are its present condition if that has never
// changed.
func (r *real) history() []report.Transition {
	if r.turns != nil && len(r.turns.last) > 0 {
		return r.turns.list()
	}
	if is := r.condition(); is != report.ConditionUnknown {
		return []report.Transition{{Time: r.since, Is: is}}
	}
	return []report.Transition{}
}
