package director

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
)

// condition is that of r.
func (r *real) condition() report.Condition {
	switch {
	case r.file() != "", r.out(), r.maintenanceOver():
		return report.ConditionPlanned
	case r.Verdict == policy.Up && !r.unchecked:
		return report.ConditionUp
	case r.Verdict == policy.Down:
		return report.ConditionDown
	}
	return report.ConditionUnknown
}

// noteCondition remembers since when r is in its condition, if that is new.
func (r *real) noteCondition(now time.Time) {
	if r.turns == nil {
		r.turns = new(record.Transitions)
	}
	r.turns.Add(r.condition(), now)
}

// beginConditions notes the condition of r before the first change of it.
func (r *real) beginConditions() {
	if !r.turns.Any() {
		r.noteCondition(r.Since)
	}
}

// history is the turns of r, which are its present condition if that has never
// changed.
func (r *real) history() []report.Transition {
	if r.turns.Any() {
		return r.turns.List()
	}
	if is := r.condition(); is != report.ConditionUnknown {
		return []report.Transition{{Time: r.Since, Is: is}}
	}
	return []report.Transition{}
}
