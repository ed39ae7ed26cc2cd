package report

import "time"

// availabilityWindow is how far back an Availability goes.
const availabilityWindow = 6 * time.Hour

// A Condition is what availability counts of a real server.
type Condition uint8

// The conditions. Planned time is neither up nor down.
const (
	ConditionUnknown Condition = iota // no check has finished yet
	ConditionUp                       // by its checks
	ConditionDown                     // by its checks
	ConditionPlanned                  // out of service by an order or a maintenance file, whatever the checks say
)

// A Transition is a change of a real server's condition.
type Transition struct {
	Time time.Time
	Is   Condition
}

// An Availability is how long a real server was in each condition in the last six
// hours, as far as known.
type Availability struct {
	Up      Seconds `json:"up_seconds"`
	Down    Seconds `json:"down_seconds"`
	Planned Seconds `json:"planned_seconds"`
}

// AvailabilityOf returns the availability up to now. The history has the oldest transition first.
func AvailabilityOf(history []Transition, now time.Time) Availability {
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
		lasted := InSeconds(to.Sub(from))
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
