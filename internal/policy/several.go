package policy

// A Score counts the checks of a real server that has several.
type Score struct {
	Checks int // all of them
	Needed int // those that must be up, from 1 to Checks
	Up     int
	Down   int // the others have no verdict yet

	ByAgent bool // an agent beside the checks takes the real server for down, whatever they say
}

// Needed returns how many of so many checks must be up; checksneeded 0 is all.
func Needed(checksneeded, checks int) int {
	if checksneeded == 0 {
		return checks
	}
	return min(checksneeded, checks)
}

// Add counts one check.
func (s *Score) Add(v Verdict) {
	s.Checks++
	switch v {
	case Up:
		s.Up++
	case Down:
		s.Down++
	case Unchecked:
	}
}

// Verdict returns the verdict of the checks together. Checks without a verdict are neither up
// nor down: as long as they decide, it is Unchecked.
func (s Score) Verdict() Verdict {
	switch {
	case s.ByAgent:
		return Down
	case s.Up >= s.Needed:
		return Up
	case s.Down > s.Checks-s.Needed:
		return Down
	}
	return Unchecked
}

// Or returns the verdict, or before where there is none yet.
func (s Score) Or(before Verdict) Verdict {
	if v := s.Verdict(); v != Unchecked {
		return v
	}
	return before
}
