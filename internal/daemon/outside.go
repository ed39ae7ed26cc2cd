package daemon

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/report"
)

// OutsideSeconds is the time between two tests of what the daemon depends on.
const OutsideSeconds = 5

// An outside is the list of faults of sockets, listeners, files and names that
// the daemon opened or read once. What can be opened again is, every OutsideSeconds
// and at each reload.
type outside struct {
	looking atomic.Bool

	mu     sync.Mutex
	faults []report.Fault
}

// list returns the faults at the last look. It may be called from any goroutine.
func (o *outside) list() []report.Fault {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.faults)
}

// found replaces the list by faults, and returns the new ones and those that ended.
func (o *outside) found(faults []report.Fault, now time.Time) (began, ended []report.Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range faults {
		f := &faults[i]
		old := slices.IndexFunc(o.faults, f.Same)
		switch {
		case old >= 0:
			f.Since = o.faults[old].Since
		case f.Since.IsZero():
			f.Since = now
			began = append(began, *f)
		default:
			began = append(began, *f)
		}
	}
	for _, f := range o.faults {
		if !slices.ContainsFunc(faults, f.Same) {
			ended = append(ended, f)
		}
	}
	o.faults = faults
	return began, ended
}

// lookOutside tests everything once, beside the loop: a file system may hang. No other
// test begins before its end.
func (d *daemon) lookOutside(ctx context.Context) {
	if ctx.Err() != nil || !d.outside.looking.CompareAndSwap(false, true) {
		return
	}
	d.readAgain()
	faults := d.fileFaults()
	go func() {
		defer d.outside.looking.Store(false)
		faults = append(faults, d.own.mend()...)
		faults = append(faults, d.kept.mend()...)
		faults = append(faults, d.vips.faults()...)
		d.vips.present.report() // whose times are then known, whether anyone reads them or not
		faults = append(faults, d.status.Mend()...)
		faults = append(faults, d.log.Faults()...)
		began, ended := d.outside.found(faults, time.Now())
		for _, f := range began {
			if !f.Logged {
				d.log.Printf(logfile.OutsideBroken, strings.ToUpper(f.What[:1])+f.What[1:], f.Error)
			}
		}
		for _, f := range ended {
			if !f.Logged {
				d.log.Printf(logfile.OutsideMended, f.What)
			}
		}
	}()
}

// fileFaults are the faults of the configuration file. The goroutine of run calls
// it.
func (d *daemon) fileFaults() []report.Fault {
	var list []report.Fault
	if r := d.reloads.refused; r != nil {
		why := strings.Join(strings.Split(strings.TrimSpace(r.why), "\n"), "; ")
		list = append(list, report.Fault{What: d.file.path + " is not in force", Error: why, Since: r.since, Logged: true})
	}
	switch why, gone := d.watcher.waiting(); {
	case gone != "":
		list = append(list, report.Fault{What: gone + " cannot be checked for changes", Error: "it cannot be read", Logged: true})
	case why != "" && d.cfg.AutoReload:
		list = append(list, report.Fault{What: "a change of " + d.file.path + " is not taken", Error: why})
	}
	unresolved, errs := d.file.names.Failing()
	for i, name := range unresolved {
		list = append(list, report.Fault{What: "the name " + name + " of a real server cannot be looked up", Error: errs[i].Error(), Logged: true})
	}
	return list
}
