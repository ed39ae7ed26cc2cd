package director

import (
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// handle takes in one result for all real servers that share its check, of which it is the
// only owner. A check that was dropped while it ran has none.
func (d *Director) handle(res *checks.Result) {
	c := res.Check
	if len(c.Users) == 0 {
		return
	}
	judgeSlow(res)
	d.judgeOurselves(res)
	if d.o.Debug != nil {
		debugCheck(d, res)
	}
	d.checks.NoteFinished(c)
	c.Past.Add(&record.Result{Result: res.Result, At: res.At, Connect: res.Asked != c.Ask}, &c.Kit.Usual)
	for _, r := range virtual.TakeWeight(c, &res.Result) {
		d.touch(r.Virtual)
	}
	for _, r := range c.Users {
		d.handleFor(r, res)
	}
	d.checks.Repace(c)
}

// judgeSlow makes a failure of a good answer that took longer than slowlimit.
func judgeSlow(res *checks.Result) {
	limit := res.Check.Kit.SlowLimit
	if res.Err == nil && limit > 0 && res.Last > limit {
		took := res.Last.Round(time.Millisecond)
		if took <= limit {
			took = res.Last
		}
		res.Err = fmt.Errorf("answered in %s, slowlimit is %s", took, limit)
		res.Drains, res.Weighs = false, false // no wish of a failure counts
	}
}

// handleFor takes in one result for one real server, step by step: what does not wait for the
// verdict, the verdict, the agent's share and the self-drain, soft failures, and the reports of
// another verdict or the same one. Each step marks the virtual service to be synced where the table
// may have to change.
func (d *Director) handleFor(r *virtual.Real, res *checks.Result) {
	if virtual.AgentIsSilent(r, res.Check, res.Detail, res.Err) {
		takeSilence(d, r, res)
		return
	}
	unchecked := r.Unchecked
	d.reportChecked(r, res)
	if res.Check != nil {
		d.warnExpiry(r, res.Check, res.At)
	}
	d.noteChecked(r, res)
	if r.Virtual.Joint.QuorumIs(policy.QuorumLost) {
		res = counted(res)
	}
	switch {
	case r.File() != "":
		takeMeanwhile(d, r, res)
		return
	case res.Local:
		d.couldNotAsk(r, res)
		return
	}
	before, was, over := count(r, res)
	if r.Unchecked && virtual.SeveralOf(r).Decided() {
		noteDecided(&d.reconciler, r)
	}
	if res.Err == nil {
		d.takeAgentShare(r, res)
	} else if virtual.AgentFails(r, res.Check, was) {
		d.touch(r.Virtual)
	}
	c := change{over: over, drain: takeDrain(d, r, res), known: !unchecked}
	if res.Err != nil && was.Failures == 0 && was.Verdict == policy.Up {
		d.checks.SoonAround(res.Check)
	}
	d.reportSoft(r, before, was, res)
	if r.Verdict != before.Verdict {
		d.transition(r, before, res, c)
	} else {
		sameVerdict(d, r, res, c)
	}
	noteCondition(d, r, over != nil, unchecked)
	if r.WouldBeUp() { // it may be needed
		d.touch(r.Virtual)
	}
}

// noteCondition notes the condition of r after a result that may change it without a transition: its
// maintenance is over, or it was unchecked before.
func noteCondition(d *Director, r *virtual.Real, over, unchecked bool) {
	if over || unchecked && !r.Unchecked && r.Transitions.Any() {
		r.NoteCondition(d.now())
	}
}

// count counts a result. It returns the tally before, that of the check before, which is
// another one only where there are several, and the maintenance that was over before this
// check, nil for none.
func count(r *virtual.Real, res *checks.Result) (before, was policy.Tally, over *event.Cause) {
	if len(r.Virtual.Logged) > 0 {
		delete(r.Virtual.Logged, virtual.NotAsked(r, res.Check))
	}
	before = r.Tally
	if s := virtual.SeveralOf(r); s != nil {
		was = s.Count(res.Check, res.Err == nil, res.Attempts, res.At)
		if s.Settled() {
			over = r.EndMaintenance()
		}
		return before, was, over
	}
	over = r.EndMaintenance()
	if over != nil && res.Err != nil { // the first failed check since
		r.Failures, r.Attempts = 0, 0
	}
	r.Tally = r.Count(res.Err == nil, res.Attempts, limitsOf(r), res.At)
	return before, before, over
}

// reportSoft reports a failure that changes no verdict on r, and the end of such failures. before
// is the tally before, was that of the check.
func (d *Director) reportSoft(r *virtual.Real, before, was policy.Tally, res *checks.Result) {
	switch {
	case res.Err == nil && r.LogsReset(was, res.Check):
		e := r.Event(event.SoftReset)
		e.Reason = virtual.WhichOf(r, res.Check)
		d.emit(r.Virtual, e)
	case incomplete(res) && r.Verdict != before.Verdict:
		d.o.Log("Error: Must specify a login and request string for MySQL, Oracle and PostgreSQL checks. Not adding %s.", r.Conf.Addr)
	case res.Err != nil && before.Verdict == policy.Up && r.Verdict == policy.Up && was.Verdict == policy.Up:
		e := r.Event(event.SoftFailure)
		now, limits := virtual.TallyOf(r, res.Check)
		e.Failures, e.FailureCount, e.Reason = int(now.Failures), int(limits.Fall), virtual.FailedBy(r, res.Check, res.Err)
		d.emit(r.Virtual, e)
	}
}

// A change is what a result has brought besides the verdict.
type change struct {
	over  *event.Cause // the maintenance that was over before, nil for none
	drain virtual.DrainNews
	known bool // it was checked before this result
}

// transition takes in a changed verdict on a real server, which ends external changes of its
// destination, unless another real server has that in service all the time.
func (d *Director) transition(r *virtual.Real, before policy.Tally, res *checks.Result, c change) {
	e := verdictEvent(r, before, res, c.over)
	if c.known {
		r.BeganAs(before)
	}
	var damped []event.Event
	if r.Verdict == policy.Down && before.Verdict == policy.Up && !c.drain.Was {
		damped = d.dampings.damp(r)
	}
	waits := virtual.Waits(r)
	if !r.Out() && !waits && (r.Verdict == policy.Down && (r.Leaves || !r.Conf.Backup) || r.In()) {
		r.Virtual.Moved(r, r.Verdict == policy.Up, e.Cause)
	}
	switch {
	case waits && (before.Verdict != policy.Unchecked || r.Verdict == policy.Up): // neither gone nor back
		e = waiting(r, e.Reason)
	default:
		e.Reason = virtual.AndOut(e.Reason, r)
	}
	if c.over != nil && r.Out() { // the maintenance has not taken it out, so that nothing was reported
		d.changed(r)
	} else {
		d.changed(r, append(c.drain.Beside(r, e), damped...)...)
	}
	if before.Verdict != policy.Unchecked { // after its first check it is neither gone nor back
		r.Transitions.Total++
	}
}

// verdictEvent is the event of a changed verdict by the checks of r. It begins slowstart, and notes
// whether r leaves the table by it. over is the maintenance that was over before, nil for none.
func verdictEvent(r *virtual.Real, before policy.Tally, res *checks.Result, over *event.Cause) event.Event {
	// Of one that an order keeps out, the report of the first checks has the reason.
	isFirst := before.Verdict == policy.Unchecked && (r.Virtual.First != nil || r.Out())
	if r.Verdict == policy.Up {
		e := r.Event(event.Back)
		if e.Cause = over; over == nil {
			e.Cause = &event.Cause{Kind: event.CauseCheck}
		}
		if isFirst {
			e.Kind = event.FirstUp
		}
		if before.Verdict == policy.Down {
			e.Down = r.Since.Sub(before.Since)
		}
		if r.StartSlowly(); r.Kept { // it served all the time
			r.Reached = 100
		}
		return e
	}
	r.Leaves = r.Virtual.Carries(r)
	e := r.Event(event.Gone)
	e.Attempts, e.Reason = int(r.Attempts), virtual.FailedBy(r, res.Check, res.Err)
	e.Cause = &event.Cause{Kind: event.CauseCheck, Detail: e.Reason}
	if isFirst {
		e.Kind = event.FirstDown
	}
	if before.Verdict == policy.Up && r.Transitions != nil { // not as it was found in the kernel
		e.Down = r.Since.Sub(before.Since)
	}
	return e
}

// sameVerdict reports the changes of a result that leaves the verdict as before.
func sameVerdict(d *Director, r *virtual.Real, res *checks.Result, c change) {
	if c.over != nil && (res.Err != nil || virtual.SeveralOf(r).Fails()) {
		e := r.Event(event.StillGone)
		why := virtual.FailedBy(r, res.Check, res.Err)
		e.Reason, e.Cause = virtual.AndOut(c.over.Detail+", and the check fails: "+why, r), &event.Cause{Kind: event.CauseCheck, Detail: why}
		d.emit(r.Virtual, e)
	}
	if c.drain.Event != nil {
		if c.known {
			r.BeganAs(r.Tally)
		}
		d.drainChanged(r, *c.drain.Event)
	}
}

// waiting is the event of a changed verdict on a real server that waits for an operator; why is why it
// is down.
func waiting(r *virtual.Real, why string) event.Event {
	e := r.Event(event.Waiting)
	if r.Verdict == policy.Up {
		e.Reason = "its checks are good again, ldirectord enable " + r.Name() + " lets it in"
	} else {
		e.Reason = "its checks fail again: " + why
	}
	return e
}

// takeDrain takes in whether an answer wants no new connections. A connect in place of the whole
// check, and another check than the one that drains, say nothing of it.
func takeDrain(d *Director, r *virtual.Real, res *checks.Result) virtual.DrainNews {
	known := r.SelfDrain()
	drains := res.Drains || res.Err == nil && r.Agent == 0 && virtual.HasAgent(r, res.Check)
	drains = drains && !virtual.Outweighed(r, &res.Result) // then it ends what an earlier check has drained
	if known == nil && !drains {
		return virtual.DrainNews{}
	}
	drained := r.Drains()
	news := drainNews(r, res, known, drains)
	if r.Drains() != drained { // also where that it was drained was never reported
		d.touch(r.Virtual)
	}
	return news
}

// drainNews does what takeDrain does to r. known is its self-drain, nil for none;
// drains is whether the answer wants no new connections.
func drainNews(r *virtual.Real, res *checks.Result, known *virtual.SelfDrain, drains bool) virtual.DrainNews {
	c := res.Check
	isWhole := c == nil || res.Asked == c.Ask
	if !drains && res.Err == nil && isWhole {
		known.Answered(c)
	}
	if !drains && (known.OtherCheck(r, c) || res.Err == nil && !isWhole) {
		return virtual.StillDrains(r, res.At)
	}
	news := virtual.TakeDrain(r, drains, res.Err != nil, res.Detail, res.At)
	if drains {
		r.SelfDrain().Add(c, res.Weighs)
	}
	return news
}

// drainChanged takes in that the own answer of a real server drains it, or does so no longer,
// while it is up.
func (d *Director) drainChanged(r *virtual.Real, e event.Event) {
	if e.Kind == event.SelfDrainOver && r.Virtual.Conf.CheckType != conf.CheckAgent && r.Virtual.Conf.SlowStart > 0 {
		r.StartSlowly()
		r.Since = d.now()
	}
	if isIn := r.In(); !r.Out() && isIn == (e.Kind == event.SelfDrainOver) {
		r.Virtual.Moved(r, isIn, e.Cause)
	}
	d.changed(r, e)
}

// changed schedules a sync of r's virtual service, and news to be reported after it.
func (d *Director) changed(r *virtual.Real, news ...event.Event) {
	v := r.Virtual
	if _, byHand := v.External[r.At()]; byHand && !v.SharesService(r) {
		delete(v.External, r.At())
	}
	r.NoteCondition(d.now())
	v.News = append(v.News, news...)
	d.touch(v)
}

// couldNotAsk reports, once until it works again, that the fault is ours: the
// verdict stays.
func (rc *reconciler) couldNotAsk(r *virtual.Real, res *checks.Result) {
	v := r.Virtual
	if !v.NoteLogged(virtual.NotAsked(r, res.Check)) {
		return
	}
	e := r.Event(event.NotAsked)
	e.Reason = virtual.FailedBy(r, res.Check, res.Err)
	rc.emit(v, e)
}

// reportChecked hands a result to the monitor file.
func (d *Director) reportChecked(r *virtual.Real, res *checks.Result) {
	if d.o.Checked == nil || r.Virtual.Conf.MonitorFile == "" {
		return
	}
	c := event.Checked{Time: res.At, Virtual: virtual.AsChecked(r, res.Check), Real: r.Conf, Up: res.Err == nil, Message: res.Detail, Err: res.Err}
	if r.File() != "" {
		c.Up, c.Message, c.Err = false, "Server in maintenance", nil
	}
	d.o.Checked(c)
}

// debugCheck writes a result into the debug output.
func debugCheck(d *Director, res *checks.Result) {
	verdict := "up"
	if res.Err != nil {
		verdict = "down: " + res.Err.Error()
	}
	k := res.Check.Kit
	asked := k.Secrets.Hide(res.Asked.String())
	d.o.Debug("%s: %s (%d asked, %s)", asked, verdict, res.Attempts, res.Took.Round(time.Microsecond))
	if len(res.Sent) > 0 || len(res.Received) > 0 {
		d.o.Debug("%s: sent %q, received %q", asked, k.Sent(res.Sent), k.Secrets.HideIn(res.Received))
	}
}

// raiseAlwaysUp lets the real servers of v be up that are so without checks.
func (d *Director) raiseAlwaysUp(v *virtual.Service) {
	for _, r := range v.Reals {
		d.alwaysUp(r)
	}
}

// alwaysUp is the result of checktype = on.
func (d *Director) alwaysUp(r *virtual.Real) {
	if virtual.IsOn(r) && r.File() == "" && r.Verdict != policy.Up {
		d.handleFor(r, &checks.Result{At: d.now()})
	}
}

// warnExpiry reports once a day that a certificate of a real server, which one of its checks has met, will not last
// (sslexpirywarn).
func (rc *reconciler) warnExpiry(r *virtual.Real, c *virtual.Check, now time.Time) {
	days := min(r.Virtual.Conf.SSLExpiryWarn, 100*365) // far from an overflow of durations
	ends := c.CertificateEnds.Load()
	if days == 0 || ends == 0 || now.Unix() < virtual.Warned(r, c)+24*60*60 {
		return
	}
	if left := time.Unix(ends, 0).Sub(now); left < time.Duration(days)*24*time.Hour {
		virtual.SetWarned(r, c, now)
		which, cause := "", (*event.Cause)(nil)
		if name := virtual.WhichOf(r, c); name != "" {
			which, cause = ", check "+name+",", &event.Cause{Kind: event.CauseCheck, Detail: name}
		}
		e := r.Event(event.Expiring)
		e.Cause = cause
		e.Reason = fmt.Sprintf("the certificate of %s (%s)%s ends %s", r.Name(), r.Virtual.ID, which, time.Unix(ends, 0).UTC().Format("2006-01-02 15:04 MST"))
		rc.emit(r.Virtual, e)
	}
}
