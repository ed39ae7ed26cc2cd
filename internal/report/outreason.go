package report

// An OutReason says why the kernel sends a real server no new connections.
type OutReason string

// The reasons. Those before OutByExternal are decisions of this program.
const (
	OutByMaintenance OutReason = "maintenance" // also until the first check after it
	OutByOrder       OutReason = "order"
	OutAsOff         OutReason = "off"
	OutAsUnchecked   OutReason = "unchecked"
	OutByDamping     OutReason = "damped"
	OutByCheck       OutReason = "check"
	OutBySelfDrain   OutReason = "self-drain" // also while it is down afterwards
	OutAsWaiting     OutReason = "waiting"    // for an operator's enable (return = byhand)
	OutByQuorum      OutReason = "quorum"     // it is up, and too few others are
	OutAsBackup      OutReason = "backup"     // it is up and not needed, and counts neither as in nor as out
	OutByExternal    OutReason = "external"   // another program took it out, or the kernel refuses it
	OutByWeight      OutReason = "weight"     // 0 in the configuration
)

// OutReasons returns all of them, in the order of the documents.
func OutReasons() []OutReason {
	return []OutReason{
		OutByMaintenance, OutByOrder, OutAsOff, OutAsUnchecked, OutByDamping, OutByCheck, OutBySelfDrain, OutAsWaiting,
		OutByQuorum, OutAsBackup, OutByExternal, OutByWeight,
	}
}
