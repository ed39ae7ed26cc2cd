package virtual

import (
	"cmp"
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/report"
)

// condition is that of r.
func (r *Real) condition() report.Condition {
	switch {
	case r.File() != "", r.Out(), r.maintenanceOver(), r.SelfDrain().was():
		return report.ConditionPlanned
	case r.Verdict == policy.Up && !r.Unchecked:
		return report.ConditionUp
	case r.Verdict == policy.Down:
		return report.ConditionDown
	}
	return report.ConditionUnknown
}

// NoteCondition records the time of a new condition of r.
func (r *Real) NoteCondition(now time.Time) {
	if r.Transitions == nil {
		r.Transitions = new(record.Transitions)
	}
	r.Transitions.Add(r.condition(), now)
}

// BeginConditions notes the condition of r before the first change of it.
func (r *Real) BeginConditions() {
	if !r.Transitions.Any() {
		r.NoteCondition(r.Since)
	}
}

// BeganAs notes what the checks said of r before a result that changes its condition for the
// first time: was is its tally before.
func (r *Real) BeganAs(was policy.Tally) {
	if r.Transitions.Any() {
		return
	}
	is := report.ConditionUnknown
	switch was.Verdict {
	case policy.Up:
		is = report.ConditionUp
	case policy.Down:
		is = report.ConditionDown
	case policy.Unchecked:
		return
	}
	r.Transitions = cmp.Or(r.Transitions, new(record.Transitions))
	r.Transitions.Add(is, was.Since)
}

// historyOf are the transitions of r, which are its present condition if that has never
// changed.
func historyOf(r *Real) []report.Transition {
	if r.Transitions.Any() {
		return r.Transitions.List()
	}
	if is := r.condition(); is != report.ConditionUnknown {
		return []report.Transition{{Time: r.Since, Is: is}}
	}
	return []report.Transition{}
}
