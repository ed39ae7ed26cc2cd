package virtual

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

// A reasonText is what reports make of one reason of package policy.
type reasonText struct {
	out   report.OutReason // why the table does not have it in service; "": the reason is none
	state report.State     // "" is that of the verdict

	// words say why it is out of service, behind its name; "": the reason is none.
	words func(r *Real) string
	// because completes what its checks say, to a code and a sentence. since is when it came into
	// its state.
	because func(r *Real, code report.ReasonCode, checks, since string) (report.ReasonCode, string)
}

// reasonTexts has each reason.
var reasonTexts = [policy.Reasons]reasonText{
	policy.InService:       {words: noWords, because: byChecks},
	policy.KeptIn:          {words: noWords, because: becauseKept},
	policy.LimitedByAgent:  {words: noWords, because: byChecks},
	policy.GivenByCheck:    {words: noWords, because: byChecks},
	policy.LimitedByStart:  {words: noWords, because: byChecks},
	policy.InMaintenance:   {report.OutByMaintenance, report.StateMaintenance, maintenanceWords, becauseOfFile},
	policy.DisabledByOrder: {report.OutByOrder, report.StateDisabled, orderWords, becauseOrdered},
	policy.DrainedByOrder:  {report.OutByOrder, report.StateDrained, orderWords, becauseOrdered},
	policy.DrainedByItself: {report.OutBySelfDrain, report.StateSelfDrained, selfDrainWords, byChecks},
	policy.NeverChecked:    {report.OutAsOff, report.StateOff, func(*Real) string { return "checktype = off" }, byChecks},
	policy.NotChecked:      {report.OutAsUnchecked, "", func(*Real) string { return "unchecked" }, byChecks},
	policy.AwaitsCheck:     {report.OutByMaintenance, report.StateMaintenance, overWords, becauseOver},
	policy.Damped:          {report.OutByDamping, report.StateDamped, func(r *Real) string { return "damped " + r.DampedWords() }, becauseDamped},
	policy.DrainedDown:     {report.OutBySelfDrain, "", (*Real).LastError, byChecks},
	policy.ChecksFail:      {report.OutByCheck, "", (*Real).LastError, byChecks},
	policy.AwaitsEnable:    {report.OutAsWaiting, report.StateWaiting, func(r *Real) string { return "up, " + waitWords(r) }, becauseWaits},
	policy.NotNeededNow:    jointReason(report.OutAsBackup, report.ReasonBackup, func(*Real) string { return backupIdle }),
	policy.TooFewUp:        jointReason(report.OutByQuorum, report.ReasonQuorum, func(r *Real) string { return "below quorum: " + r.Virtual.Joint.words() }),
	policy.OthersUnchecked: jointReason(report.OutAsUnchecked, report.ReasonQuorum, func(*Real) string {
		return "the first checks of others decide whether it is needed or enough are up"
	}),
}

// reportedReason is the reason of a decision on r that reports have first: down before drained by an
// order, and damped before kept by minalive.
func reportedReason(r *Real, is policy.Decision) policy.Reason {
	switch {
	case is.Reason == policy.DrainedByOrder && r.Verdict == policy.Down && !r.maintenanceOver():
		s := serverOf(r)
		s.Order = policy.NoOrder
		return policy.Decide(s).Reason
	case r.Damped() && (is.Reason == policy.KeptIn || is.Reason == policy.DrainedByItself):
		return policy.Damped
	}
	return is.Reason
}

// outReason returns why the table does not have a real server in service, by the decision on it.
func outReason(is policy.Decision) report.OutReason {
	switch out := reasonTexts[is.Reason].out; {
	case out != "":
		return out
	case is.Weight == 0:
		return report.OutByWeight
	}
	return report.OutByExternal
}

// stateOf returns the state of r, by the decision on it.
func stateOf(r *Real, is policy.Decision) report.State {
	switch state := reasonTexts[reportedReason(r, is)].state; {
	case state != "":
		return state
	case r.Unchecked && r.Verdict != policy.Down && !IsOn(r):
		return report.StateUnchecked // also if it is in service, as it was found
	}
	return verdictWords[r.Verdict]
}

// because returns in a code and a sentence what decides about r, by the decision on it.
func (r *Real) because(is policy.Decision) (report.ReasonCode, string) {
	since := r.stateSince(stateOf(r, is)).Local().Format(time.DateTime)
	code, checks := r.becauseOfChecks(is.Reason, since)
	checks += weightWords(is) + maxConnWords(r)
	return reasonTexts[reportedReason(r, is)].because(r, code, checks, since)
}

func noWords(*Real) string { return "" }

func maintenanceWords(r *Real) string { return "in maintenance: file " + r.File() }

func orderWords(r *Real) string { return r.Override.String() }

func selfDrainWords(r *Real) string { return r.SelfDrain().words() }

func overWords(r *Real) string {
	return "maintenance by file " + r.Maintenance.Ended + " is over, and no check has finished since"
}

// byChecks is the result of the checks, with what an operator ordered beside it.
func byChecks(r *Real, code report.ReasonCode, checks, since string) (report.ReasonCode, string) {
	switch {
	case Waits(r):
		return becauseWaits(r, code, checks, since)
	case r.Override != nil:
		checks += "; ordered: " + r.Override.String()
	}
	return code, checks
}

func becauseOfFile(r *Real, _ report.ReasonCode, _, since string) (report.ReasonCode, string) {
	return report.ReasonMaintenance, "the maintenance directory has the file " + r.File() + " since " + since
}

func becauseOrdered(r *Real, _ report.ReasonCode, _, since string) (report.ReasonCode, string) {
	return report.ReasonOrder, "an operator ordered since " + since + ": " + r.Override.String()
}

func becauseOver(r *Real, _ report.ReasonCode, _, since string) (report.ReasonCode, string) {
	return report.ReasonMaintenanceOver, "maintenance by file " + r.Maintenance.Ended + " is over, and the next check decides; out since " + since
}

func becauseKept(_ *Real, _ report.ReasonCode, checks, _ string) (report.ReasonCode, string) {
	return report.ReasonMinAlive, checks + "; it " + keptWords
}

// jointReason is of a reason that comes from the state of the virtual service as a whole.
func jointReason(out report.OutReason, code report.ReasonCode, words func(r *Real) string) reasonText {
	return reasonText{out, "", words, func(r *Real, _ report.ReasonCode, checks, _ string) (report.ReasonCode, string) {
		return code, checks + "; out of service, " + words(r)
	}}
}
