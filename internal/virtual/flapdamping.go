package virtual

import (
	"fmt"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// Damping returns what flapdamping knows of r; nil is nothing. Few real servers have one.
func (r *Real) Damping() *policy.Damping { return r.Virtual.dampings[r] }

// SetDamping replaces what flapdamping knows of r; nil makes r begin anew.
func (v *Service) SetDamping(r *Real, d *policy.Damping) {
	switch {
	case d == nil:
		delete(v.dampings, r)
		return
	case v.dampings == nil:
		v.dampings = map[*Real]*policy.Damping{}
	}
	v.dampings[r] = d
}

// Damped reports whether flapdamping keeps r out of service whatever its checks say.
func (r *Real) Damped() bool { return r.Verdict == policy.Down && r.Damping().Now() }

// WouldBeUp reports whether r is out of service by flapdamping alone.
func (r *Real) WouldBeUp() bool {
	if !r.Damped() {
		return false
	}
	if s := SeveralOf(r); s != nil {
		return s.score().Verdict() == policy.Up
	}
	return r.Successes >= r.Virtual.Limits.Rise
}

// UpBeside returns how many real servers other than r are up and in service, and get connections.
// One that the kernel refuses is not in service.
func (v *Service) UpBeside(r *Real) (n int) {
	for _, o := range v.Reals {
		if o == r || o.Verdict != policy.Up || v.Refuses(o.At()) {
			continue
		}
		external, changed := v.External[o.At()]
		out := changed && (external.Absent || external.Weight == 0)
		if is := o.decide(); is.In && is.Weight > 0 && !out {
			n++
		}
	}
	return n
}

// NeedsDamped returns the real server that flapdamping keeps out and that is needed, of several
// the one whose time would end first; nil is none.
func (v *Service) NeedsDamped() (next *Real) {
	for _, r := range v.Reals {
		if !r.WouldBeUp() || Waits(r) || r.Out() || r.File() != "" || r.Agent == 0 || r.SelfDrain() != nil && r.SelfDrain().Now {
			continue
		}
		if next == nil || r.Damping().Until.Before(next.Damping().Until) {
			next = r
		}
	}
	switch {
	case next == nil, v.UpBeside(nil) >= policy.Need(v.Conf):
		return nil
	case v.Served == ServedUnknown && v.First != nil && slices.ContainsFunc(v.Reals, (*Real).Awaited): // which may be up, at a start
		return nil
	}
	return next
}

// Damp keeps r out of service as it was when the last daemon ended, if that still lasts. It is
// called before the first check, after Find. A real server that is in service stays in.
func (r *Real) Damp(s state.Damped, now time.Time) {
	if !r.Virtual.Conf.FlapDamping.On() {
		return
	}
	if s.Since.After(now) { // the wall clock has been set back
		s.Since, s.Until = now, now.Add(min(s.Until.Sub(s.Since), s.Lasts))
	}
	d := policy.Damping{Since: s.Since, Lasts: s.Lasts}
	if left := min(s.Until.Sub(now), s.Lasts); left > 0 && r.Verdict == policy.Unchecked {
		d.Until = now.Add(left)
		r.Tally = policy.Tally{Verdict: policy.Down, Since: s.Since, Failures: r.Virtual.Limits.Fall}
	}
	r.Virtual.SetDamping(r, &d)
}

// Remembered returns the dampings of v for the next daemon, in the order of the file.
func (v *Service) Remembered() (list []state.Damped) {
	for _, r := range v.Reals {
		if d := r.Damping(); d != nil && !d.Since.IsZero() {
			list = append(list, state.Damped{Virtual: v.ID, Real: r.Name(), Since: d.Since, Until: d.Until, Lasts: d.Lasts})
		}
	}
	return list
}

// DampedWords are until when and why flapdamping keeps r out: they follow "damped".
func (r *Real) DampedWords() string {
	f := r.Virtual.Conf.FlapDamping
	return fmt.Sprintf("until %s: it went down %d times within %s", r.Damping().Until.Local().Format(time.DateTime), f.Count, f.Within)
}

// becauseDamped returns why r is damped, and what its checks say.
func becauseDamped(r *Real, _ report.ReasonCode, _, _ string) (report.ReasonCode, string) {
	words := "damped " + r.DampedWords()
	switch {
	case r.WouldBeUp():
		words += "; its checks are good, enable lets it in"
	case r.Successes > 0:
		words += fmt.Sprintf("; %d of %d good checks that make it up were made", r.Successes, r.Virtual.Limits.Rise)
	default:
		words += "; its checks fail: " + r.LastError()
	}
	if r.Kept {
		words += "; it " + keptWords
	}
	return report.ReasonDamped, words
}
