package daemon

import (
	"errors"

	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// A dampedFile keeps which real servers flapdamping keeps out of service. It writes in a goroutine
// of its own. The nil dampedFile, of a dry run, keeps nothing.
type dampedFile struct {
	path    string
	list    func() []state.Damped // at the moment
	wanted  chan struct{}
	end     chan struct{}
	done    chan struct{}
	keeping keeping
}

// damped is what the last daemon of the file has kept. Without it flapdamping begins anew.
func (p *process) damped() []state.Damped {
	if p.DryRun {
		return nil
	}
	path := p.DampedFile()
	list, bad, err := state.ReadDamped(path)
	if err = errors.Join(append(bad, err)...); err != nil {
		p.Log.Printf(logfile.DampedLost, path, err)
	}
	return list
}

// keepDamped begins to keep list until close.
func (p *process) keepDamped(list func() []state.Damped) *dampedFile {
	if p.DryRun {
		return nil
	}
	f := &dampedFile{
		path: p.DampedFile(), list: list, wanted: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{}),
		keeping: keeping{what: "which real servers are damped cannot be kept for a restart", log: p.Log.Printf},
	}
	go f.run()
	return f
}

func (f *dampedFile) run() {
	defer close(f.done)
	for {
		select {
		case <-f.wanted:
			f.write()
		case <-f.end:
			select {
			case <-f.wanted:
				f.write()
			default:
			}
			return
		}
	}
}

func (f *dampedFile) write() { f.keeping.ended(state.WriteDamped(f.path, f.list())) }

// want requests a write. It does not block.
func (f *dampedFile) want() {
	if f == nil {
		return
	}
	select {
	case f.wanted <- struct{}{}:
	default:
	}
}

// mend has a failed write tried again, and returns the fault until that has succeeded.
func (f *dampedFile) mend() []report.Fault {
	if f == nil || !f.keeping.fails() {
		return nil
	}
	f.want()
	return f.keeping.faults()
}

// close waits for a requested write, for at most historyPatience.
func (f *dampedFile) close() {
	if f == nil {
		return
	}
	close(f.end)
	f.keeping.last(f.done)
}
