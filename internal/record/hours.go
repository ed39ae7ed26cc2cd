package record

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// keptHours is how many hours are summed up: those of a day, with the parts at its ends.
const keptHours = 26

// hours sums up the transitions that a real server with many of them has no room for. It is
// a ring by the hour.
type hours [keptHours]hour

// An hour is how long each condition lasted in it, in milliseconds.
type hour struct {
	number            uint32 // since 1970
	up, down, planned uint32
}

// sumUp adds the oldest transition, which ends with the second one, to its hours.
func (t *Transitions) sumUp() {
	if t.older == nil {
		t.older = new(hours)
	}
	from, to, is := time.Unix(0, int64(t.last[0]&^conditionBits)), time.Unix(0, int64(t.last[1]&^conditionBits)), report.Condition(t.last[0]&conditionBits)
	if earliest := to.Add(-keptHours * time.Hour); from.Before(earliest) {
		from = earliest
	}
	for from.Before(to) {
		end := from.Truncate(time.Hour).Add(time.Hour)
		if end.After(to) {
			end = to
		}
		t.older.add(uint32(from.Unix()/3600), is, end.Sub(from))
		from = end
	}
}

func (h *hours) add(number uint32, is report.Condition, lasted time.Duration) {
	at := &h[number%keptHours]
	if at.number != number {
		*at = hour{number: number}
	}
	ms := uint32(lasted.Milliseconds())
	switch is {
	case report.ConditionUp:
		at.up += ms
	case report.ConditionDown:
		at.down += ms
	case report.ConditionPlanned:
		at.planned += ms
	}
}

// Hours returns the hours of the day up to now that List does not have any more, the oldest
// first. Nil is none.
func (t *Transitions) Hours(now time.Time) []report.Hour {
	if t == nil || t.older == nil {
		return nil
	}
	var list []report.Hour
	last := uint32(now.Unix() / 3600)
	for number := last - keptHours + 1; number <= last; number++ {
		at := t.older[number%keptHours]
		begin := time.Unix(int64(number)*3600, 0)
		if at.number != number || !begin.Add(time.Hour).After(now.Add(-report.Day)) {
			continue
		}
		list = append(list, report.Hour{
			Begin: begin, Up: time.Duration(at.up) * time.Millisecond, Down: time.Duration(at.down) * time.Millisecond, Planned: time.Duration(at.planned) * time.Millisecond,
		})
	}
	return list
}
