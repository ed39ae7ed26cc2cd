package daemon

import (
	"sync"
	"sync/atomic"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// An ownership has the claims of a daemon: its configuration file, its virtual services.
// A nil one, of a dry run, claims nothing.
type ownership struct {
	claim  *state.Claim
	memory state.Memory
	file   string
	others func() []state.Daemon // see Instance
	log    func(format string, args ...any)

	whole     *conf.Config    // the configuration of which only a part is shared; see share
	contested map[string]bool // the IDs of virtual services that others steer, as logged

	mu       sync.Mutex      // may be held for as long as a disk takes
	services []state.Service // of the last remember
	unsaved  error           // why they could not be written; nil if they were

	theirs atomic.Pointer[[]report.Fault] // the virtual services of others, nil for none

	lost atomic.Pointer[error] // why the last beat could not restore a removed file; of nil if it could
}

// own claims what the configuration names. A dry run claims nothing.
func (p *process) own() (*ownership, error) {
	if p.DryRun {
		return nil, nil
	}
	o := &ownership{memory: p.memory(), file: state.Canonical(p.Path), others: p.others, log: p.Log.Printf, contested: map[string]bool{}}
	record := state.Record{File: o.file, Services: director.Services(p.Config)}
	if !p.isAttached() {
		record.PIDFile = p.PIDFiles()[0]
	}
	var err error
	o.claim, err = p.locks().Claim(record, p.others())
	if err != nil {
		return nil, err
	}
	return o, nil
}

// recall returns the virtual services that an earlier daemon of this file has left,
// except those that another daemon has taken over since, and remembers them together
// with those of cfg.
func (o *ownership) recall(cfg *conf.Config) []state.Service {
	if o == nil {
		return nil
	}
	all, err := o.memory.Recall(o.file)
	if err != nil {
		o.log("The virtual services that an earlier daemon has left are not known: %v", err)
	}
	left := notOf(o.claim.Contested(all, o.others()), all)
	o.remember(state.Union(left, director.Services(cfg)))
	return left
}

// remember keeps the services in the table for the next daemon of the file. What cannot be
// kept is left to mend.
func (o *ownership) remember(services []state.Service) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.services, o.unsaved = services, o.memory.Remember(o.file, services)
}

// mend tries a failed remember again, and returns the faults that remain.
func (o *ownership) mend() (list []report.Fault) {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unsaved != nil {
		o.unsaved = o.memory.Remember(o.file, o.services)
	}
	if o.unsaved != nil {
		list = append(list, report.Fault{What: "the virtual services that are ours cannot be kept for the next start", Error: o.unsaved.Error()})
	}
	if theirs := o.theirs.Load(); theirs != nil {
		list = append(list, *theirs...)
	}
	if lost := o.lost.Load(); lost != nil && *lost != nil {
		list = append(list, report.Fault{What: "lock, record and pid file of this daemon cannot be restored", Error: (*lost).Error()})
	}
	return list
}

// end remembers the services in the table at the end of the daemon.
func (o *ownership) end(left []state.Service) {
	if o == nil {
		return
	}
	o.remember(left)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unsaved != nil {
		o.log("The virtual services that are left in the table cannot be kept for the next start: %v", o.unsaved)
	}
	o.unsaved = nil // the next daemon may have begun
}

// share is the part of cfg that this daemon may steer: all but the virtual services of
// other daemons. It is called before the kernel is changed, by one goroutine at a time.
func (o *ownership) share(cfg *conf.Config, held []state.Service) *conf.Config {
	if o == nil {
		return cfg
	}
	services := director.Services(cfg)
	contests, err := o.claim.Extend(services, o.others())
	if err != nil {
		o.log("Other daemons cannot be told what this one steers: %v", err)
		contests = o.claim.Contested(services, o.others())
	}
	now := map[string]bool{}
	for _, c := range contests {
		now[c.Service.ID] = true
		if !o.contested[c.Service.ID] {
			o.log("Warning: %s: it is left to that until it lets go", c)
		}
	}
	for id := range o.contested {
		if !now[id] {
			o.log("Virtual service %s is steered by no other daemon any more", id)
		}
	}
	o.whole, o.contested = cfg, now
	theirs := contestFaults(contests)
	o.theirs.Store(&theirs)
	part := without(cfg, contests)
	o.remember(state.Union(held, director.Services(part)))
	return part
}

// contestFaults are virtual services of other daemons, as reports have them: they are in no other.
func contestFaults(contests []state.Contest) (list []report.Fault) {
	for _, l := range leftToOthers(contests) {
		list = append(list, report.Fault{What: l.Change + " is left to another daemon", Error: l.Reason, Logged: true})
	}
	return list
}

// part is what share would return now, and what is left to others. It changes nothing, and may be called
// from any goroutine.
func (o *ownership) part(cfg *conf.Config) (*conf.Config, []state.Contest) {
	if o == nil {
		return cfg, nil
	}
	contests := o.claim.Contested(director.Services(cfg), o.others())
	return without(cfg, contests), contests
}

// without is cfg without the virtual services of contests.
func without(cfg *conf.Config, contests []state.Contest) *conf.Config {
	theirs := map[string]bool{}
	for _, c := range contests {
		theirs[c.Service.ID] = true
	}
	part := *cfg
	part.Virtuals = nil
	for _, v := range cfg.Virtuals {
		if !theirs[v.ID()] {
			part.Virtuals = append(part.Virtuals, v)
		}
	}
	return &part
}

// notOf are those of services that other daemons do not control.
func notOf(contests []state.Contest, services []state.Service) (list []state.Service) {
	theirs := map[string]bool{}
	for _, c := range contests {
		theirs[c.Service.ID] = true
	}
	for _, s := range services {
		if !theirs[s.ID] {
			list = append(list, s)
		}
	}
	return list
}

// free reports whether another daemon has released a contested virtual service.
func (o *ownership) free() bool {
	if o == nil || len(o.contested) == 0 {
		return false
	}
	return len(o.claim.Contested(director.Services(o.whole), o.others())) < len(o.contested)
}

// settle publishes the services of this daemon that are in the kernel now.
func (o *ownership) settle(held []state.Service) {
	if o == nil {
		return
	}
	o.remember(held)
	if err := o.claim.Publish(held); err != nil {
		o.log("Other daemons cannot be told what this one steers: %v", err)
	}
}

// beat is the heartbeat of a working daemon.
func (o *ownership) beat() {
	err := o.claim.Beat()
	o.lost.Store(&err)
}

// release ends the claim.
func (o *ownership) release() {
	if o != nil {
		o.claim.Release()
	}
}
