package policy

import "math"

// AgentUnknown is the share of an agent that has not answered yet.
const AgentUnknown = -1

// A Server has all inputs of the decision about one real server of a virtual
// service.
type Server struct {
	Weight      int   // from the configuration
	Order       Order // what an operator ordered
	OrderWeight int   // of the order Weighted
	OrderShare  int   // of the order Weighted: percent of Weight in place of OrderWeight; 0 is none
	Verdict     Verdict
	Cause       Cause // of a verdict other than up
	Kept        bool  // in service although its checks fail (minalive)
	Maintenance bool  // a file takes it out
	Joint       Joint // what the virtual service as a whole means for it
	Waits       bool  // it left by its checks, and an operator's enable is to let it in (return = byhand)
	Quiescent   bool  // out of service it stays in the table with weight 0
	Expired     bool  // the time for that is over (quiescenttime)

	// Draining says that its own answer wants no new connections (httpdrain, receivedrain).
	// MayDrain says that its answers can want that: then a weight of 0 in the table stays
	// until its first check.
	Draining, MayDrain bool

	// Agent is the share of the weight that its agent wants, in percent: 100
	// without an agent, 0 for no new connections.
	Agent int
	// Asked is the weight that its external check asks for (externalweight).
	Asked Asked
	// Silent says that what is unknown of Agent and Asked was asked for already, and that
	// there was no answer.
	Silent bool
	// Found is the weight that counts while Agent or Asked is unknown and not Silent. Where
	// there is none, the real server waits out of service for the first answer.
	Found Found
	Present
	// Reached is the share of the weight that slowstart has reached, in percent:
	// 100 without slowstart, and at its end.
	Reached int
}

// A Present is the entry of a real server in the table. It is known while Server.Agent or Server.Asked
// is unknown, or Server.Joint is AsFound.
type Present struct {
	Before int  // the weight
	Held   bool // the table has the real server at all
}

// An Asked is the weight that the exit status of an external check asks for. The zero Asked asks
// for that of the file.
type Asked struct {
	Unknown bool // there was no answer yet
	Given   bool // Weight is asked for
	Weight  int
}

// A Found is the weight with which a start or a reload found a real server in service. The zero
// Found is that it was not in service.
type Found struct {
	Weight int
	Of     int // the weight of the order in force then, else of the file: another one changes Weight in proportion

	// Reached is the share that slowstart had reached then, in percent: Weight is limited by it
	// already. 0 is that it did not climb.
	Reached int
}

// A Cause explains why a real server is unchecked or down although its checks may say otherwise. Only
// the Reason of a decision depends on it.
type Cause uint8

// The causes. The zero Cause is the checks.
const (
	ByChecks        Cause = iota
	NoCheck               // checktype = off: it is unchecked for good
	MaintenanceOver       // its maintenance is over: it is down until a check has finished
	Flaps                 // flapdamping keeps it down
	DrainedBefore         // its own answer had drained it before its checks failed
)

// An Order is an operator's order for a real server.
type Order uint8

// The orders. The zero Order is none.
const (
	NoOrder Order = iota
	Drained
	Disabled
	Weighted
)

// A Decision is the desired entry of a real server in the table.
type Decision struct {
	In     bool // in service
	Drains bool // not in service, but in the table with weight 0, so that its connections go on
	Stays  bool // not in service, but in the table with weight 0: it drains, or for quiescent
	Weight int  // while it is in service
	Reason Reason
}

// A Reason explains the decision about a real server.
type Reason uint8

// The reasons. Those up to LimitedByStart are of real servers in service.
const (
	InService Reason = iota
	KeptIn           // by minalive
	LimitedByAgent
	GivenByCheck   // by the exit status of its external check
	LimitedByStart // by slowstart
	InMaintenance
	DisabledByOrder
	DrainedByOrder
	DrainedByItself // by its own answer, that of its agent, or the status of its external check
	NeverChecked    // checktype = off
	NotChecked
	AwaitsCheck // its maintenance is over, and no check has finished since
	Damped      // by flapdamping
	DrainedDown // down after its own answer had drained it
	ChecksFail
	AwaitsEnable    // its checks are good again, and an operator is to let it in
	NotNeededNow    // a backup server, and enough real servers are up
	TooFewUp        // for the quorum, and the fallback takes over
	OthersUnchecked // the first checks of others decide whether quorum or need let it in

	Reasons // how many there are
)

// Joint reports whether the reason is the state of the virtual service as a whole.
func (r Reason) Joint() bool {
	return r == NotNeededNow || r == TooFewUp || r == OthersUnchecked
}

// Down reports whether the reason is that the verdict is down, whatever its cause.
func (r Reason) Down() bool {
	return r == ChecksFail || r == AwaitsCheck || r == Damped || r == DrainedDown
}

// Decide returns the desired entry of a real server. Its weight is (the order's weight, else
// that of its external check, else the configured one) × the agent's share, limited by slowstart. It
// is in service if it is up or kept, unless a maintenance file, an order, its own
// answer or its agent takes it out, or an operator is to let it in.
func Decide(s Server) Decision {
	d := decide(s)
	d.Stays = !d.In && !s.Expired && (d.Drains || s.Quiescent)
	return d
}

func decide(s Server) Decision {
	switch {
	case s.Maintenance:
		return Decision{Reason: InMaintenance}
	case s.Order == Disabled:
		return Decision{Reason: DisabledByOrder}
	case s.Order == Drained:
		// As after a restart, it need not be checked: its connections go on.
		return Decision{Drains: s.Verdict != Down, Reason: DrainedByOrder}
	case s.Verdict == Unchecked:
		return Decision{Drains: s.Held && (s.Unknown() || s.MayDrain), Reason: s.Cause.reason(NotChecked)}
	case s.Verdict == Down && !s.Kept:
		return Decision{Reason: s.Cause.reason(ChecksFail)}
	case s.Waits:
		return Decision{Reason: AwaitsEnable}
	case s.drainsItself():
		return Decision{Drains: true, Reason: DrainedByItself}
	case s.waitsForAnswer():
		return Decision{Drains: s.Held, Reason: NotChecked}
	case s.Joint == NotNeeded:
		return Decision{Reason: NotNeededNow}
	case s.Joint == BelowQuorum:
		return Decision{Reason: TooFewUp}
	case s.Joint == AsFound && s.Before == 0:
		return Decision{Reason: OthersUnchecked}
	}
	d := Decision{In: true, Weight: s.weight()}
	switch {
	case s.Verdict == Down:
		d.Reason = KeptIn
	case s.Reached < 100 && (s.Agent < 0 || s.Agent > s.Reached):
		d.Reason = LimitedByStart
	case s.Agent != 100 && (s.Agent != AgentUnknown || !s.Silent):
		d.Reason = LimitedByAgent
	case s.Order != Weighted && s.Asked.Given:
		d.Reason = GivenByCheck
	}
	return d
}

// reason is the Reason of a cause; byChecks is that of ByChecks.
func (c Cause) reason(byChecks Reason) Reason {
	switch c {
	case ByChecks:
	case NoCheck:
		return NeverChecked
	case MaintenanceOver:
		return AwaitsCheck
	case Flaps:
		return Damped
	case DrainedBefore:
		return DrainedDown
	}
	return byChecks
}

func (s Server) drainsItself() bool {
	return s.Draining || s.Agent == 0 || s.Order != Weighted && s.Asked.Given && s.Asked.Weight == 0
}

// Unknown reports whether something is not known yet that decides about the weight. An order for
// the weight wins over an external check.
func (s Server) Unknown() bool {
	return s.Agent == AgentUnknown || s.Asked.Unknown && s.Order != Weighted
}

// Awaits reports whether an answer that decides about the weight is still to come.
func (s Server) Awaits() bool { return s.Unknown() && !s.Silent }

// waitsForAnswer reports whether the real server waits out of service for such an answer.
func (s Server) waitsForAnswer() bool {
	return s.Awaits() && s.Found.Weight == 0 && s.base() > 0
}

// base is the weight of an order, else of the external check, else of the file.
func (s Server) base() int {
	if s.Order != Weighted && s.Asked.Given {
		return s.Asked.Weight
	}
	return s.BaseOfFound()
}

// BaseOfFound is Found.Of of a real server found now.
func (s Server) BaseOfFound() int {
	switch {
	case s.Order == Weighted && s.OrderShare > 0:
		return share(s.Weight, s.OrderShare)
	case s.Order == Weighted:
		return s.OrderWeight
	}
	return s.Weight
}

// found is the weight that was found, in proportion to a new order or file.
func (s Server) found() int {
	now, then := s.BaseOfFound(), s.Found.Of
	if now == then || then == 0 {
		return s.Found.Weight
	}
	return int(min(max(min(1, int64(now)), int64(s.Found.Weight)*int64(now)/int64(then)), math.MaxInt32))
}

func (s Server) weight() int {
	base := s.base()
	weight := base
	switch {
	case s.Awaits():
		if weight = s.found(); s.Found.Reached > 0 && s.Reached >= s.Found.Reached {
			return weight // slowstart has limited it already
		}
	case s.Agent != AgentUnknown:
		weight = share(base, s.Agent)
	}
	if s.Reached < 100 {
		weight = min(weight, share(base, s.Reached))
	}
	return weight
}

// share is a part of a weight, which is at least 1 if neither is 0, and at most the highest of the kernel.
func share(weight, percent int) int {
	switch {
	case weight == 0 || percent == 0:
		return 0
	case percent == 100: // also for a weight beyond the kernel's limit, which the kernel refuses
		return weight
	}
	return int(min(max(1, int64(weight)*int64(percent)/100), math.MaxInt32))
}
