package director

import (
	"errors"
	"io/fs"
	"time"

	"ldirectord/ipvs"
)

// kernelState is what is known of the kernel besides what it should hold.
type kernelState struct {
	table   []ipvs.Entry // as last read
	read    time.Time
	err     error
	changes map[ipvs.Op]uint64
	refused map[ipvs.Op]uint64
	repairs uint64
}

// note takes up a look at the table.
func (k *kernelState) note(table []ipvs.Entry, err error, now time.Time) {
	k.err = err
	if err == nil {
		k.table, k.read = table, now
	}
}

// count counts a change by what came of it. That an entry was there already, or
// was gone, is no error: another change follows, or none is needed.
func (k *kernelState) count(op ipvs.Op, err error) {
	if k.changes == nil {
		k.changes, k.refused = map[ipvs.Op]uint64{}, map[ipvs.Op]uint64{}
	}
	switch {
	case err == nil:
		k.changes[op]++
		k.read = time.Time{} // the table is not what it was
	case !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist):
		k.refused[op]++
	}
}

func (k *kernelState) byKey() map[ipvs.Key]ipvs.Entry {
	entries := make(map[ipvs.Key]ipvs.Entry, len(k.table))
	for _, e := range k.table {
		entries[e.Service.Key] = e
	}
	return entries
}

func (k *kernelState) state() KernelState {
	s := KernelState{Changes: map[string]uint64{}, Refused: map[string]uint64{}, Repairs: k.repairs}
	if k.err != nil {
		s.Error = k.err.Error()
	}
	for op, n := range k.changes {
		s.Changes[op.String()] = n
	}
	for op, n := range k.refused {
		s.Refused[op.String()] = n
	}
	return s
}
