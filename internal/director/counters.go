package director

import (
	"errors"
	"io/fs"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// kernelState is what is known of the kernel besides what it should hold.
type kernelState struct {
	err     error // why it cannot be read
	changes map[ipvs.Op]uint64
	refused map[ipvs.Op]uint64
	repairs uint64
	retried time.Time // when refused changes were last tried again beside driftcheck
	reread  time.Time // when the table was last read again for what a reload has added

	shown   []ipvs.Entry // the table as it was read for the last snapshot, nil once that is too long ago
	shownAt time.Time
}

// tableAge is how old a look at the kernel's table may be for a snapshot, so
// that many who look do not keep the director from its work.
const tableAge = 250 * time.Millisecond

// forget drops a look at the table that is too old: it is as large as all else
// that is known of the real servers.
func (k *kernelState) forget(now time.Time) {
	if now.Sub(k.shownAt) > tableAge {
		k.shown = nil
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
		k.shown = nil // the table is not what it was
	case !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist):
		k.refused[op]++
	}
}

func (k *kernelState) state() report.KernelState {
	s := report.KernelState{Changes: map[string]uint64{}, Refused: map[string]uint64{}, Repairs: k.repairs}
	if k.err != nil {
		s.Error = k.err.Error()
	}
	for op := ipvs.AddService; op <= ipvs.DeleteDestination; op++ { // so that counters begin at 0
		s.Changes[op.String()], s.Refused[op.String()] = 0, 0
	}
	for op, n := range k.changes {
		s.Changes[op.String()] = n
	}
	for op, n := range k.refused {
		s.Refused[op.String()] = n
	}
	return s
}
