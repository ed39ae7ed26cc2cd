package daemon

import (
	"errors"

	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// A listFile keeps a list of real servers for the next daemon. It writes in a goroutine of its own. The
// nil listFile, of a dry run, keeps nothing.
type listFile struct {
	write   func() error // the list at the moment
	wanted  chan struct{}
	end     chan struct{}
	done    chan struct{}
	keeping keeping
}

// damped is what the last daemon of the file has kept. Without it flapdamping begins anew.
func (p *process) damped() []state.Damped {
	return keptList(p, p.DampedFile(), logfile.DampedLost, state.ReadDamped)
}

// gone is likewise what it knew of real servers that their checks had taken out of service.
func (p *process) gone() []state.Gone {
	return keptList(p, p.GoneFile(), logfile.GoneLost, state.ReadGone)
}

// keptList is the list in a file, without what cannot be read. The log has lost, with the file and why.
func keptList[T any](p *process, path, lost string, read func(path string) ([]T, []error, error)) []T {
	if p.DryRun {
		return nil
	}
	list, bad, err := read(path)
	if err = errors.Join(append(bad, err)...); err != nil {
		p.Log.Printf(lost, path, err)
	}
	return list
}

// keepDamped begins to keep list until close.
func (p *process) keepDamped(list func() []state.Damped) *listFile {
	path := p.DampedFile()
	return p.keepList("which real servers are damped cannot be kept for a restart", func() error { return state.WriteDamped(path, list()) })
}

// keepGone likewise.
func (p *process) keepGone(list func() []state.Gone) *listFile {
	path := p.GoneFile()
	return p.keepList("which real servers have left by their checks cannot be kept for a restart", func() error { return state.WriteGone(path, list()) })
}

func (p *process) keepList(what string, write func() error) *listFile {
	if p.DryRun {
		return nil
	}
	f := &listFile{
		write: write, wanted: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{}),
		keeping: keeping{what: what, log: p.Log.Printf},
	}
	go f.run()
	return f
}

func (f *listFile) run() {
	defer close(f.done)
	for {
		select {
		case <-f.wanted:
			f.keeping.ended(f.write())
		case <-f.end:
			select {
			case <-f.wanted:
				f.keeping.ended(f.write())
			default:
			}
			return
		}
	}
}

// want requests a write. It does not block.
func (f *listFile) want() {
	if f == nil {
		return
	}
	select {
	case f.wanted <- struct{}{}:
	default:
	}
}

// mend has a failed write tried again, and returns the fault until that has succeeded.
func (f *listFile) mend() []report.Fault {
	if f == nil || !f.keeping.fails() {
		return nil
	}
	f.want()
	return f.keeping.faults()
}

// close waits for a requested write, for at most historyPatience.
func (f *listFile) close() {
	if f == nil {
		return
	}
	close(f.end)
	f.keeping.last(f.done)
}
