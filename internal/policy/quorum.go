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
	need := min(r.Quorum, r.Reals)
	if before == QuorumLost {
		need = min(r.Quorum+r.Hysteresis, r.Reals)
	}
	switch {
	case up >= need:
		return QuorumMet
	case before == QuorumLost, may < min(r.Quorum, r.Reals):
		return QuorumLost
	}
	return before
}
