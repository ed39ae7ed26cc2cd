package report

import "time"

// How far back an Availability and a DayAvailability go.
const (
	availabilityWindow = 6 * time.Hour
	Day                = 24 * time.Hour
)

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

// A DayAvailability is how long a real server was in each condition in the last 24 hours.
// Since is the beginning of what is known of them: 24 hours ago or later, zero if nothing is.
// The times add up to less than the time since then where gaps are unknown, as after a start.
type DayAvailability struct {
	Availability
	Since time.Time `json:"since,omitzero"`
}

// An Hour sums up an hour, or the part of it before the first listed Transition.
type Hour struct {
	Begin             time.Time // a whole hour since 1970
	Up, Down, Planned time.Duration
}

// AvailabilityOf returns the availability up to now. The history has the oldest transition first.
func AvailabilityOf(history []Transition, now time.Time) Availability {
	var a Availability
	a.add(history, now.Add(-availabilityWindow), now)
	return a
}

// DayOf returns the availability of the day up to now. The hours end before the history
// begins; both have the oldest first.
func DayOf(hours []Hour, history []Transition, now time.Time) DayAvailability {
	var d DayAvailability
	begin := now.Add(-Day)
	for _, h := range hours {
		share := h.share(begin)
		d.Up += Seconds(share * h.Up.Seconds())
		d.Down += Seconds(share * h.Down.Seconds())
		d.Planned += Seconds(share * h.Planned.Seconds())
	}
	d.add(history, begin, now)
	switch {
	case len(hours) > 0:
		d.Since = hours[0].Begin
	case len(history) > 0:
		d.Since = history[0].Time
	}
	if !d.Since.IsZero() && d.Since.Before(begin) {
		d.Since = begin
	}
	return d
}

// share is the part of an hour after begin, as if its conditions were spread evenly up to its
// end.
func (h Hour) share(begin time.Time) float64 {
	known, after := h.Up+h.Down+h.Planned, h.Begin.Add(time.Hour).Sub(begin)
	if after >= known {
		return 1
	}
	return float64(max(0, after)) / float64(known)
}

// add adds the time from begin to now.
func (a *Availability) add(history []Transition, begin, now time.Time) {
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
}
