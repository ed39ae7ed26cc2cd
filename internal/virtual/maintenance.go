package virtual

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// A Maintenance is the maintenance of one real server.
type Maintenance struct {
	File  string    // that takes it out, "" is none
	Since time.Time // meaningful while the maintenance lasts
	Ended string    // the file whose maintenance is over, until a check has finished; "" is none
}

// File is the file that takes r out of service, "" is none.
func (r *Real) File() string {
	if r.Maintenance == nil {
		return ""
	}
	return r.Maintenance.File
}

// KeepOut keeps real servers out of service that were out of service before.
func (v *Service) KeepOut(out map[netip.AddrPort]string, now time.Time) {
	for _, r := range v.Reals {
		if file := out[r.Conf.AddrPort()]; file != "" && r.Verdict == policy.Unchecked {
			r.BeginMaintenance(file, now)
		}
	}
}

// Foresee lets the real servers of a plan be as they will be at a load: those with a file in
// maintenance, and those not decided whose maintenance is over and that have no check
// (checktype = off). v may share the records of a service in force, which it leaves alone.
func (v *Service) Foresee(out map[netip.AddrPort]string) {
	for _, r := range v.Reals {
		file, ended := out[r.Conf.AddrPort()], r.File() != ""
		switch {
		case file != "" && !ended:
			r.Maintenance = &Maintenance{File: file}
		case file == "" && ended && IsOn(r):
			r.Maintenance, r.Tally = nil, policy.Tally{Verdict: policy.Down}
		case file == "" && ended && NeverChecked(r):
			r.Maintenance, r.Tally = nil, policy.Tally{}
		}
	}
}

// ForeseeUp lets the real servers of a plan be up that need no check (checktype = on). It reports
// whether there are some.
func ForeseeUp(v *Service) (any bool) {
	for _, r := range v.Reals {
		damped := r.Damping().Now() && r.Verdict == policy.Down // which flapdamping keeps out
		if !IsOn(r) || r.File() != "" || r.Verdict == policy.Up || damped {
			continue
		}
		if !r.Kept {
			r.StartSlowly()
		}
		any, r.Verdict = true, policy.Up
	}
	return any
}

// ForeseeReturns lets the real servers of a plan in that wait for an operator and need not any more.
func ForeseeReturns(v *Service) {
	if v.Conf.ByHand {
		return
	}
	for _, r := range v.Reals {
		if since := StopWaiting(r); !since.IsZero() && r.Verdict == policy.Up && r.File() == "" {
			r.StartSlowly()
		}
	}
}

// ForeseeUndamped lets a real server of a plan in that NeedsDamped has found.
func ForeseeUndamped(r *Real) {
	after := r.Damping().Ended()
	r.Virtual.SetDamping(r, &after)
	r.Verdict = policy.Up
	if r.StartSlowly(); r.Kept {
		r.Reached = 100
	}
}

// BeginMaintenance notes the file that takes r out, and since when one does.
func (r *Real) BeginMaintenance(file string, now time.Time) {
	r.BeginConditions()
	if r.Maintenance == nil {
		r.Maintenance = &Maintenance{Since: now}
	}
	if m := r.Maintenance; m.File == "" && m.Ended == "" { // else it has been out since the file before
		m.Since = now
	}
	r.Maintenance.File, r.Maintenance.Ended = file, ""
	setSelfDrain(r, nil) // the answers after it decide anew
	r.NoteCondition(now)
}

// maintenanceOver reports whether the maintenance of r is over and no check has finished
// since: until one has it is out for maintenance.
func (r *Real) maintenanceOver() bool { return r.Maintenance != nil && r.Maintenance.Ended != "" }

// EndMaintenance is the maintenance that ended before this check of r, the first
// one since; nil is none.
func (r *Real) EndMaintenance() *event.Cause {
	if !r.maintenanceOver() {
		return nil
	}
	c := &event.Cause{Kind: event.CauseMaintenance, Detail: "maintenance by file " + r.Maintenance.Ended + " is over"}
	r.Maintenance.Ended = ""
	return c
}
