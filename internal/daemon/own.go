package daemon

import (
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/state"
)

// memory is where daemons remember which virtual services are their own.
func (s *session) memory() state.Memory { return state.Memory(s.StateDir) }

// An ownership is what a daemon claims: its configuration file, its virtual
// services. A nil one, of a dry run, claims nothing.
type ownership struct {
	claim  *state.Claim
	memory state.Memory
	file   string
	others func() []state.Daemon // those that keep no lock
	log    func(format string, args ...any)

	whole     *conf.Config    // the configuration of which only a part is shared; see share
	contested map[string]bool // the IDs of virtual services that others steer, as logged
}

// own claims what the configuration names. The error is that of an exit.
func (s *session) own() (*ownership, error) {
	if s.inv.dryRun {
		return nil, nil
	}
	o := &ownership{memory: s.memory(), file: state.Canonical(s.path), others: s.originals, log: s.log.Printf, contested: map[string]bool{}}
	record := state.Record{File: o.file, Services: director.Services(s.cfg)}
	if !s.isAttached() {
		record.PIDFile = string(s.pidFile())
	}
	var err error
	o.claim, err = s.dir().Claim(record, s.originals())
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
	taken := map[string]bool{}
	for _, c := range o.claim.Contested(all, o.others()) {
		taken[c.Service.ID] = true
	}
	var left []state.Service
	for _, s := range all {
		if !taken[s.ID] {
			left = append(left, s)
		}
	}
	o.remember(state.Union(left, director.Services(cfg)))
	return left
}

// remember keeps what is in the table for the next daemon of the file.
func (o *ownership) remember(services []state.Service) {
	if o == nil {
		return
	}
	if err := o.memory.Remember(o.file, services); err != nil {
		o.log("%v", err)
	}
}

// share is what of cfg this daemon may steer: all but the virtual services that
// another one does. It is called before the kernel is changed, by one goroutine at a
// time.
func (o *ownership) share(cfg *conf.Config, held []state.Service) *conf.Config {
	if o == nil {
		return cfg
	}
	services := director.Services(cfg)
	contests, err := o.claim.Extend(services, o.others())
	if err != nil {
		o.log("Other daemons cannot be told what this one steers: %v", err)
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
	part := *cfg
	part.Virtuals = nil
	for _, v := range cfg.Virtuals {
		if !now[v.ID()] {
			part.Virtuals = append(part.Virtuals, v)
		}
	}
	o.remember(state.Union(held, director.Services(&part)))
	return &part
}

// free says whether a virtual service that was contested is not any more.
func (o *ownership) free() bool {
	if o == nil || len(o.contested) == 0 {
		return false
	}
	return len(o.claim.Contested(director.Services(o.whole), o.others())) < len(o.contested)
}

// settle notes what the kernel now holds of this daemon.
func (o *ownership) settle(held []state.Service) {
	if o == nil {
		return
	}
	o.remember(held)
	if err := o.claim.Publish(held); err != nil {
		o.log("Other daemons cannot be told what this one steers: %v", err)
	}
}

// beat shows that the daemon works.
func (o *ownership) beat() {
	if err := o.claim.Beat(); err != nil {
		o.log("Restoring the files of this daemon below /run: %v", err)
	}
}

// release ends the claim.
func (o *ownership) release() {
	if o != nil {
		o.claim.Release()
	}
}
