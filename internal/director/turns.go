package director

import (
	"slices"
	"time"
)

// keptTurns is how many changes are remembered of each real server.
const keptTurns = 32

// availabilityWindow is how far back an Availability goes.
const availabilityWindow = 6 * time.Hour

// A Condition is what availability counts of a real server.
type Condition uint8

// The conditions. Time that is planned is neither up nor down.
const (
	ConditionUnknown Condition = iota // no check has finished yet
	ConditionUp                       // by its checks
	ConditionDown                     // by its checks
	ConditionPlanned                  // out of service by an order or a maintenance file, whatever the checks say
)

// A Turn is a change of a real server's condition.
type Turn struct {
	Time time.Time
	Is   Condition
}

// An Availability is how long a real server was in each condition in the last six
// hours, as far as that is known.
type Availability struct {
	Up      Seconds `json:"up_seconds"`
	Down    Seconds `json:"down_seconds"`
	Planned Seconds `json:"planned_seconds"`
}

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

func (t *turns) add(is Condition, at time.Time) {
	if n := len(t.last); n > 0 && Condition(t.last[n-1]&conditionBits) == is {
		return
	}
	if len(t.last) == keptTurns {
		t.last = slices.Delete(t.last, 0, 1)
	}
	t.last = append(t.last, turn(at.UnixNano()&^conditionBits|int64(is)))
}

// now is the last condition and since when it lasts; ConditionUnknown if there is none.
func (t *turns) now() (since time.Time, is Condition) {
	if t == nil || len(t.last) == 0 {
		return time.Time{}, ConditionUnknown
	}
	n := t.last[len(t.last)-1]
	return time.Unix(0, int64(n&^conditionBits)), Condition(n & conditionBits)
}

// count is how often the real server was ever gone or back.
func (t *turns) count() uint64 {
	if t == nil {
		return 0
	}
	return t.total
}

// list is the last turns, from the oldest on.
func (t *turns) list() []Turn {
	if t == nil {
		return []Turn{}
	}
	list := make([]Turn, 0, len(t.last))
	for _, n := range t.last {
		list = append(list, Turn{Time: time.Unix(0, int64(n&^conditionBits)), Is: Condition(n & conditionBits)})
	}
	return list
}

// condition is that of r.
func (r *real) condition() Condition {
	switch {
	case r.maintenance != "", r.out(), r.maintenanceOver():
		return ConditionPlanned
	case r.verdict == up && !r.unchecked:
		return ConditionUp
	case r.verdict == down:
		return ConditionDown
	}
	return ConditionUnknown
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
func (r *real) history() []Turn {
	if r.turns != nil && len(r.turns.last) > 0 {
		return r.turns.list()
	}
	if is := r.condition(); is != ConditionUnknown {
		return []Turn{{Time: r.since, Is: is}}
	}
	return []Turn{}
}

// availability is what history comes to.
func availability(history []Turn, now time.Time) Availability {
	begin := now.Add(-availabilityWindow)
	var a Availability
	for i, t := range history {
		from, to := t.Time, now
		if from.Before(begin) {
			from = begin
		}
		if i+1 < len(history) {
			to = history[i+1].Time
		}
		if !to.After(from) {
			continue
		}
		lasted := inSeconds(to.Sub(from))
		switch t.Is {
		case ConditionUp:
			a.Up += lasted
		case ConditionDown:
			a.Down += lasted
		case ConditionPlanned:
			a.Planned += lasted
		}
	}
	return a
}
