package director

import (
	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// takeAgentShare takes over an agent's answer besides that it is up: a part of the
// weight, or that it wants no new connections.
func (d *Director) takeAgentShare(r *virtual.Real, res *checks.Result) {
	if !virtual.HasAgent(r, res.Check) {
		return
	}
	reply, err := checker.ParseAgent(res.Detail)
	if err != nil {
		return // the check has judged it already
	}
	if virtual.TakeMaxConn(r, reply.MaxConn) {
		d.touch(r.Virtual)
	}
	if share := int16(reply.Weight); share != r.Agent {
		wasIn := r.In()
		r.Agent = share
		if isIn := r.In(); isIn != wasIn {
			r.Virtual.Moved(r, isIn, &event.Cause{Kind: event.CauseCheck, Detail: "its agent says so"})
		}
		d.touch(r.Virtual)
	}
}

// takeSilence takes in that the agent beside the checks of r did not answer: they decide without it.
func takeSilence(d *Director, r *virtual.Real, res *checks.Result) {
	if virtual.TakeSilence(r, res.Local) {
		d.touch(r.Virtual)
	}
	unchecked := r.Unchecked
	if r.Unchecked && virtual.SeveralOf(r).NoteFinished(res.Check) {
		noteDecided(&d.reconciler, r)
	}
	if r.File() != "" {
		return
	}
	before := r.Tally
	over := virtual.CountSilence(r, res.At)
	if r.Verdict != before.Verdict {
		without := &checks.Result{Check: res.Check, At: res.At}
		d.transition(r, before, without, change{over: over, drain: virtual.StillDrains(r, res.At), known: !unchecked})
	}
	noteCondition(d, r, over != nil, unchecked)
}

// takeMeanwhile takes in what the agent beside the checks of r says while a file keeps r out: its last
// word counts when the maintenance is over.
func takeMeanwhile(d *Director, r *virtual.Real, res *checks.Result) {
	if virtual.CountMeanwhile(r, res.Check, res.Err == nil, res.At) && res.Err == nil {
		d.takeAgentShare(r, res)
	}
}
