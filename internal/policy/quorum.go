package policy

// Quorum is whether enough servers of a virtual service are up.
type Quorum uint8

// The values of Quorum.
const (
	QuorumUnknown Quorum = iota // first checks go on that decide
	QuorumMet
	QuorumLost
)

// quorum returns whether enough are up. may has those besides that first checks
// may find up: as long as these decide, the quorum is as before. After a loss more must be up, by
// the hysteresis; all real servers are always enough.
func (r Rule) quorum(before Quorum, up, may int) Quorum {
	if r.Quorum == 0 {
		return QuorumUnknown
	}
	switch {
	case up >= r.Needed(Standing{Quorum: before}):
		return QuorumMet
	case before == QuorumLost, may < min(r.Quorum, r.Reals):
		return QuorumLost
	}
	return before
}

// Needed returns how many servers have to be up for the quorum, after the decision before.
func (r Rule) Needed(before Standing) int {
	if before.Quorum == QuorumLost {
		return min(r.Quorum+r.Hysteresis, r.Reals)
	}
	return min(r.Quorum, r.Reals)
}
