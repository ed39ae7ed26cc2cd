package virtual

import (
	"fmt"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// A Leaving is the state of a real server because its checks take it out of service, or have
// done so (quiescenttime, return = byhand).
type Leaving struct {
	wasIn   bool      // in service after the last change of the table; known with return = byhand
	dead    time.Time // since when it has weight 0 for quiescenttime; zero is not
	expired bool      // that time is over
	waiting time.Time // since when it waits for an operator's enable; zero is not
}

func (l *Leaving) waits() bool { return !l.waiting.IsZero() }

// Waits reports whether r left by its checks, and stays out until an operator's enable.
func Waits(r *Real) bool {
	l := r.Virtual.leavings[r]
	return l != nil && l.waits()
}

// expired reports whether r was down for quiescenttime and has left the table.
func expired(r *Real) bool {
	l := r.Virtual.leavings[r]
	return l != nil && l.expired
}

func setLeaving(r *Real, l Leaving) {
	v := r.Virtual
	switch {
	case l == Leaving{}:
		delete(v.leavings, r)
		return
	case v.leavings == nil:
		v.leavings = map[*Real]*Leaving{}
	}
	v.leavings[r] = &l
}

// A LeavingNews is what NoteLeavings has found.
type LeavingNews struct {
	Table bool // the table may have to be changed
	Kept  bool // Gone has changed
}

// NoteLeavings notes which real servers of v their checks have taken out of service by the decisions
// that are in force now, and of which the time for weight 0 is over.
func NoteLeavings(v *Service, now time.Time) (news LeavingNews) {
	if v.Conf.QuiescentTime == 0 && !v.Conf.ByHand && len(v.leavings) == 0 {
		return news
	}
	for _, r := range v.Reals {
		var before Leaving
		if l := v.leavings[r]; l != nil {
			before = *l
		}
		after := before.next(r, now)
		if after == before {
			continue
		}
		setLeaving(r, after)
		news.Table = news.Table || after.expired != before.expired
		news.Kept = news.Kept || after.dead != before.dead || after.waiting != before.waiting
	}
	return news
}

// NoteServing notes which real servers of v are in service, when the kernel has taken the changes, or has
// refused them (return = byhand).
func NoteServing(v *Service) {
	if !v.Conf.ByHand && len(v.leavings) == 0 {
		return
	}
	for _, r := range v.Reals {
		var l Leaving
		if known := v.leavings[r]; known != nil {
			l = *known
		}
		if isIn := v.Conf.ByHand && v.Serves(r); isIn != l.wasIn {
			l.wasIn = isIn
			setLeaving(r, l)
		}
	}
}

// next is the state of r after a decision. Planned leaving, by an order, a file or the own answer,
// is none by checks; a real server that fails its checks meanwhile has died.
func (l Leaving) next(r *Real, now time.Time) Leaving {
	c, is := r.Virtual.Conf, r.decide()
	if c.ByHand && l.wasIn && is.Reason.Down() && !l.waits() {
		l.waiting = now
	}
	switch {
	case c.QuiescentTime == 0, is.In, r.Verdict == policy.Up && !l.waits():
		l.dead = time.Time{}
	case l.dead.IsZero() && r.File() == "" && !r.maintenanceOver() && (r.Verdict == policy.Down || l.waits()):
		l.dead = now
	}
	l.expired = !l.dead.IsZero() && policy.QuiescenceOver(c.QuiescentTime, now.Sub(l.dead))
	return l
}

// StopWaiting lets the checks of r decide again, as an operator has let it in. It returns since when
// r waited, zero if it did not.
func StopWaiting(r *Real) (since time.Time) {
	l := r.Virtual.leavings[r]
	if l == nil || !l.waits() {
		return since
	}
	since, l.waiting = l.waiting, time.Time{}
	return since
}

// RestoreLeaving takes over what the last daemon knew of r, or an earlier configuration of the same
// real server. It is called after Find, before the first check. It reports false where a real server
// that waited is in service in the table: then it waits no more.
func RestoreLeaving(r *Real, s state.Gone, now time.Time) bool {
	v := r.Virtual
	ago := func(at time.Time) time.Time { // by a clock that can be set
		if at.IsZero() {
			return at
		}
		return now.Add(-max(0, now.Sub(at)))
	}
	var l Leaving
	found := r.Verdict == policy.Up && !slices.ContainsFunc(v.Reals, func(o *Real) bool { return o != r && o.At() == r.At() })
	if v.Conf.ByHand && !found {
		l.waiting = ago(s.Waits)
	}
	if v.Conf.QuiescentTime > 0 && !found {
		l.dead = ago(s.Dead)
		l.expired = !l.dead.IsZero() && policy.QuiescenceOver(v.Conf.QuiescentTime, now.Sub(l.dead))
	}
	setLeaving(r, l)
	return !found || s.Waits.IsZero() || !v.Conf.ByHand
}

// Gone returns what the next daemon has to know of v's real servers that their checks have taken out of
// service, in the order of the file.
func Gone(v *Service) (list []state.Gone) {
	if len(v.leavings) == 0 {
		return nil
	}
	for _, r := range v.Reals {
		l := v.leavings[r]
		if l == nil || l.dead.IsZero() && !l.waits() {
			continue
		}
		g := state.Gone{Virtual: v.ID, Real: r.Name(), Dead: l.dead, Waits: l.waiting}
		if conf.IsName(r.Conf.Host) && !v.Conf.ResolveAll { // each address of the latter is a real server of its own
			g.Host = r.Conf.Host
		}
		list = append(list, g)
	}
	return list
}

// left is since when r waits for an operator, and until when it has weight 0 for quiescenttime; zero is
// neither.
func left(r *Real) (waits, until time.Time) {
	l := r.Virtual.leavings[r]
	if l == nil {
		return waits, until
	}
	if waits = l.waiting; !l.dead.IsZero() {
		until = l.dead.Add(r.Virtual.Conf.QuiescentTime)
	}
	return waits, until
}

// quiescentWords are until when a dead real server has weight 0, or that it was removed; "" for neither.
func quiescentWords(r *Real) string {
	_, until := left(r)
	switch {
	case until.IsZero():
		return ""
	case expired(r):
		return "; removed at " + until.Local().Format(time.DateTime) + " (quiescenttime)"
	}
	return "; weight 0 until " + until.Local().Format(time.DateTime) + ", then removed (quiescenttime)"
}

// waitWords are what lets a real server in that waits.
func waitWords(r *Real) string {
	return "waits for an operator: ldirectord enable " + r.Name()
}

// becauseWaits completes the reason of a real server that waits, or will when its checks are good. code
// and checks are what these say.
func becauseWaits(r *Real, code report.ReasonCode, checks, _ string) (report.ReasonCode, string) {
	since := r.Virtual.leavings[r].waiting.Local().Format(time.DateTime)
	if r.Verdict == policy.Up {
		return report.ReasonWaiting, fmt.Sprintf("%s; out of service since %s by its checks (return = byhand), it %s", checks, since, waitWords(r))
	}
	return code, fmt.Sprintf("%s; out of service since %s, and when its checks are good (return = byhand) it %s", checks, since, waitWords(r))
}
