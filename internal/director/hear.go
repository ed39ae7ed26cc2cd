package director

import (
	"cmp"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/record"
)

// hear takes in one result for all who asked. It is res's only owner. A check
// that was dropped while it was under way has nobody who asks.
func (d *Director) hear(res *result) {
	if len(res.check.users) == 0 {
		return
	}
	d.judgeOurselves(res)
	if d.o.Debug != nil {
		d.debug(res)
	}
	d.checks.heard(res.check)
	c := res.check
	c.past.Add(&record.Result{Result: res.Result, At: res.at, Connect: res.asked != c.ask}, &c.kit.usual)
	for _, r := range res.check.users {
		d.tell(r, res)
	}
	d.checks.repace(res.check)
}

// tell takes in one result for one real server.
func (d *Director) tell(r *real, res *result) {
	d.reportChecked(r, res)
	if res.check != nil {
		d.warnExpiry(r, res.check, res.at)
	}
	d.noteChecked(r, res)
	if r.file() != "" {
		return
	}
	if res.Local {
		d.couldNotAsk(r, res)
		return
	}
	v := r.virtual
	if len(v.said) > 0 {
		delete(v.said, notAsked(r))
	}
	before := r.Tally
	over := r.endMaintenance()
	if over != nil && res.Err != nil { // the first failed check since
		r.Failures, r.Attempts = 0, 0
	}
	r.Tally = r.Count(res.Err == nil, res.Attempts, v.limits, res.at)
	if res.Err == nil {
		d.heed(r, res)
	}
	if res.Err != nil && before.Failures == 0 && before.Verdict == policy.Up {
		d.askNeighbours(res.check)
	}
	switch {
	case res.Err == nil && r.tellsReset(before):
		d.emit(v, r.event(event.SoftReset))
	case incomplete(res) && r.Verdict != before.Verdict:
		d.o.Log("Error: Must specify a login and request string for MySQL, Oracle and PostgreSQL checks. Not adding %s.", r.conf.Addr)
	case res.Err != nil && before.Verdict == policy.Up && r.Verdict == policy.Up:
		e := r.event(event.SoftFailure)
		e.Failures, e.FailureCount, e.Reason = int(r.Failures), int(v.limits.Fall), res.Err.Error()
		d.emit(v, e)
	}
	if r.Verdict != before.Verdict {
		d.turned(r, before, res, over)
	} else if over != nil && res.Err != nil {
		e := r.event(event.StillGone)
		e.Reason, e.Cause = andOut(over.Detail+", and the check fails: "+res.Err.Error(), r), &event.Cause{Kind: event.CauseCheck, Detail: res.Err.Error()}
		d.emit(v, e)
	}
	if over != nil {
		r.noteCondition(d.now())
	}
}

// turned notes that the verdict on a real server has changed. Whatever
// somebody set for it by hand ends here. over is the maintenance that was over
// before, nil is none.
func (d *Director) turned(r *real, before policy.Tally, res *result, over *event.Cause) {
	e := r.event(event.Back)
	if e.Cause = over; over == nil {
		e.Cause = &event.Cause{Kind: event.CauseCheck}
	}
	// Of one that an order keeps out, the report of the first checks has said so.
	isFirst := before.Verdict == policy.Unchecked && (r.virtual.first != nil || r.out())
	if r.Verdict == policy.Up {
		if isFirst {
			e.Kind = event.FirstUp
		}
		if before.Verdict == policy.Down {
			e.Down = r.Since.Sub(before.Since)
		}
		r.startSlowly()
	} else {
		r.leaves = r.virtual.carries(r)
		e.Kind, e.Attempts, e.Reason = event.Gone, int(r.Attempts), res.Err.Error()
		e.Cause = &event.Cause{Kind: event.CauseCheck, Detail: e.Reason}
		if isFirst {
			e.Kind = event.FirstDown
		}
		if before.Verdict == policy.Up && r.turns != nil { // not as it was found in the kernel
			e.Down = r.Since.Sub(before.Since)
		}
	}
	if !r.out() && (r.Verdict == policy.Down || r.in()) {
		r.virtual.moved(r, r.Verdict == policy.Up, e.Cause)
	}
	if over != nil && r.out() { // the maintenance has not taken it out, so that nothing was told of it
		d.changed(r)
		return
	}
	e.Reason = andOut(e.Reason, r)
	d.changed(r, e)
}

// andOut is a reason with what keeps r out of service whatever its checks say, if
// there is something.
func andOut(reason string, r *real) string {
	var words string
	switch r.decide().Reason {
	case policy.DrainedByOrder, policy.DisabledByOrder:
		words = "out of service by order: " + r.override.String()
	case policy.DrainedByAgent:
		words = "out of service: its agent wants no new connections"
	default:
		return reason
	}
	if reason != "" {
		reason += "; "
	}
	return reason + words
}

// changed schedules a sync of r's virtual service, and news to be told after it.
func (d *Director) changed(r *real, news ...event.Event) {
	v := r.virtual
	delete(v.External, r.at())
	r.noteCondition(d.now())
	r.turns.Total++
	v.news = append(v.news, news...)
	d.touch(v)
}

// couldNotAsk reports, once until it works again, that the fault is ours: the
// verdict stays what it was.
func (d *Director) couldNotAsk(r *real, res *result) {
	v := r.virtual
	if !v.say(notAsked(r)) {
		return
	}
	e := r.event(event.NotAsked)
	e.Reason = res.Err.Error()
	d.emit(v, e)
}

func notAsked(r *real) string { return "not asked: " + r.name() }

// reportChecked hands a result to whoever wants every one.
func (d *Director) reportChecked(r *real, res *result) {
	if d.o.Checked == nil || r.virtual.conf.MonitorFile == "" {
		return
	}
	c := event.Checked{Time: res.at, Virtual: r.virtual.conf, Real: r.conf, Up: res.Err == nil, Message: res.Detail, Err: res.Err, Took: res.Took}
	if r.file() != "" {
		c.Up, c.Message, c.Err = false, "Server in maintenance", nil
	}
	d.o.Checked(c)
}

func (d *Director) debug(res *result) {
	verdict := "up"
	if res.Err != nil {
		verdict = "down: " + res.Err.Error()
	}
	k := res.check.kit
	asked := k.Secrets.Hide(res.asked.String())
	d.o.Debug("%s: %s (%d asked, %s)", asked, verdict, res.Attempts, res.Took.Round(time.Microsecond))
	if len(res.Sent) > 0 || len(res.Received) > 0 {
		d.o.Debug("%s: sent %q, received %q", asked, k.Sent(res.Sent), k.Secrets.HideIn(res.Received))
	}
}

// touch has the kernel looked after for v when all is heard.
func (d *Director) touch(v *virtual) {
	if !v.dirty {
		v.dirty = true
		d.dirty = append(d.dirty, v)
	}
}

// settle makes the kernel agree with all that was heard.
func (d *Director) settle() {
	if len(d.dirty) == 0 {
		d.heardAll()
		return
	}
	slices.SortFunc(d.dirty, func(a, b *virtual) int { return cmp.Compare(a.order, b.order) })
	d.sync(d.dirty...)
	for _, v := range d.dirty {
		v.dirty = false
	}
	clear(d.dirty) // those of an earlier configuration are not to be held here
	d.dirty = d.dirty[:0]
	d.heardAll()
}

// alwaysUp is the result of checktype = on.
func (d *Director) alwaysUp(r *real) {
	if r.virtual.conf.CheckType == conf.CheckOn && r.file() == "" && r.Verdict != policy.Up {
		d.tell(r, &result{at: d.now()})
	}
}
