package table

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A Kernel carries out plans in a table, reads it, and counts both. It is for one
// goroutine.
type Kernel struct {
	Table ipvs.Table
	Log   func(format string, args ...any)
	// ReaddQuiescent makes a missing destination of weight 0 be added (readdquiescent).
	ReaddQuiescent bool
	// Repairs counts the external changes that were undone.
	Repairs uint64

	err     error // why the table cannot be read
	changes map[ipvs.Op]uint64
	refused map[ipvs.Op]uint64

	shown   []ipvs.Entry // the table as read for the last snapshot, nil when too old
	shownAt time.Time
}

const (
	// StartPatience is how long Await waits for a table that cannot be read.
	StartPatience = 30 * time.Second
	// readPause is the time between two tries.
	readPause = time.Second
	// shownAge is how old a reading may be for a snapshot, so that many readers do not
	// keep the director from its work.
	shownAge = 250 * time.Millisecond
)

// Apply carries out one step, and sets its Err, and its Op if another was needed.
func (k *Kernel) Apply(s *Step) { k.answered(s, k.Table.Apply(s.Change)) }

// ApplyAll carries out the steps of a kind, in the order of the plans.
func (k *Kernel) ApplyAll(plans [][]Step, kind func(Step) bool) {
	var steps []*Step
	var changes []ipvs.Change
	for _, p := range plans {
		for i := range p {
			if kind(p[i]) {
				steps = append(steps, &p[i])
				changes = append(changes, p[i].Change)
			}
		}
	}
	for i, err := range ipvs.ApplyAll(k.Table, changes) {
		k.answered(steps[i], err)
	}
}

// answered takes in the kernel's answer to a step. A destination that is to be deleted and
// is missing needs no change.
func (k *Kernel) answered(s *Step, err error) {
	k.count(s.Op, err)
	s.Err = err
	missing := errors.Is(err, fs.ErrNotExist)
	switch op, ok := k.instead(s, err); {
	case ok:
		again := s.Change
		again.Op = op
		s.Err, s.Op = k.Table.Apply(again), op
		k.count(op, s.Err)
	case missing && (s.Op == ipvs.DeleteService || s.Op == ipvs.DeleteDestination && !errors.Is(err, ipvs.ErrNoService)):
		s.Err = nil
	case err != nil && !missing && s.Op == ipvs.EditDestination && s.Takes():
		k.lower(s)
	}
}

// instead returns the change to make in place of a refused one, after an external change:
// an existing entry is changed and not added, a missing one is added and not changed.
func (k *Kernel) instead(s *Step, err error) (ipvs.Op, bool) {
	exists := errors.Is(err, fs.ErrExist)
	missing := errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ipvs.ErrNoService)
	switch {
	case exists && s.Op == ipvs.AddDestination:
		return ipvs.EditDestination, true
	case exists && s.Op == ipvs.AddService:
		return ipvs.EditService, true
	case missing && s.Op == ipvs.EditDestination && (s.Destination.Weight > 0 || k.ReaddQuiescent):
		return ipvs.AddDestination, true
	}
	return s.Op, false
}

// lower lowers the weight of a destination alone: thresholds that the kernel refuses do
// not keep a dead real server in service.
func (k *Kernel) lower(s *Step) {
	alone := s.Old
	alone.Role, alone.Place, alone.Weight = s.New.Role, s.New.Place, s.New.Weight
	again := s.Change
	again.Destination = alone.Destination()
	err := k.Table.Apply(again)
	if k.count(s.Op, err); err == nil {
		s.Err, s.Change, s.New = nil, again, alone
	}
}

// count counts a change by its result. An entry that existed already, or was missing, is
// no refusal: another change follows, or none is needed. A missing scheduler is one.
func (k *Kernel) count(op ipvs.Op, err error) {
	if k.changes == nil {
		k.changes, k.refused = map[ipvs.Op]uint64{}, map[ipvs.Op]uint64{}
	}
	noEntry := errors.Is(err, ipvs.ErrNoService) || errors.Is(err, fs.ErrNotExist) && op != ipvs.AddService && op != ipvs.EditService
	switch {
	case err == nil:
		k.changes[op]++
		k.shown = nil // the table is another one now
	case !errors.Is(err, fs.ErrExist) && !noEntry:
		k.refused[op]++
	}
}

// Err returns why the last reading failed, nil if it did not.
func (k *Kernel) Err() error { return k.err }

// Read reads the table. It is false if that failed.
func (k *Kernel) Read() ([]ipvs.Entry, bool) {
	entries, err := k.Table.Read()
	return entries, k.readable(err)
}

// ReadEach calls use for each entry, which is valid until use returns. It is false if
// reading failed. A table of tens of thousands is never in memory as a whole.
func (k *Kernel) ReadEach(use func(*ipvs.Entry)) bool {
	return k.readable(ipvs.ReadEach(k.Table, use))
}

// readable notes the result of reading. The first of several failures is logged.
func (k *Kernel) readable(err error) bool {
	if err != nil && k.err == nil {
		k.Log("Reading the IPVS table failed, it is tried again: %v", err)
	}
	k.err = err
	return err == nil
}

// Await reads the table as soon as possible: which real servers are in service is
// unknown before, and nothing is written. It returns nil when ctx is done, and the error
// after StartPatience.
func (k *Kernel) Await(ctx context.Context) ([]ipvs.Entry, error) {
	for began := time.Now(); ; {
		if entries, readable := k.Read(); readable {
			return entries, nil
		}
		if time.Since(began) >= StartPatience {
			return nil, fmt.Errorf("reading the IPVS table failed for %s, nothing was changed: %w", StartPatience, k.err)
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(readPause):
		}
	}
}

// Show reads the table for a snapshot, or returns the last reading if it is recent. It is
// false if reading failed.
func (k *Kernel) Show(now time.Time) ([]ipvs.Entry, bool) {
	if k.Forget(now); k.shown != nil {
		return k.shown, true
	}
	entries, readable := k.Read()
	if readable {
		k.shown, k.shownAt = entries, now
	}
	return entries, readable
}

// Forget frees the last reading if it is no longer recent: it is as large as all else that
// is known of the real servers.
func (k *Kernel) Forget(now time.Time) {
	if now.Sub(k.shownAt) > shownAge {
		k.shown = nil
	}
}

// Report returns the counts, with a 0 for each kind of change without one, so that the
// metrics begin at 0.
func (k *Kernel) Report() report.KernelState {
	s := report.KernelState{Changes: map[string]uint64{}, Refused: map[string]uint64{}, Repairs: k.Repairs}
	if k.err != nil {
		s.Error = k.err.Error()
	}
	for op := ipvs.AddService; op <= ipvs.DeleteDestination; op++ {
		s.Changes[op.String()], s.Refused[op.String()] = k.changes[op], k.refused[op]
	}
	return s
}

// ByKey returns the entries of a table by their keys.
func ByKey(entries []ipvs.Entry) map[ipvs.Key]*ipvs.Entry {
	byKey := make(map[ipvs.Key]*ipvs.Entry, len(entries))
	for i := range entries {
		byKey[entries[i].Service.Key] = &entries[i]
	}
	return byKey
}
