package daemon

import (
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/state"
)

// running is the living daemon of this session's configuration file, under whatever
// name it was started, and whether there is one. A file that is gone is known by its
// pid file.
func (s *session) running() (state.Daemon, bool) {
	mine := func(d state.Daemon) bool { return slices.Contains(s.pidFiles(), pidFile(d.PIDFile)) }
	for _, d := range s.locked() {
		if s.foundAt != "" && d.Steers(s.foundAt) || s.foundAt == "" && mine(d) {
			return d, true
		}
	}
	for _, d := range s.originals() {
		if mine(d) || s.foundAt != "" && d.File == state.Canonical(s.foundAt) {
			return d, true
		}
	}
	return state.Daemon{}, false
}

// originals are the living daemons that keep no lock, with what their files say: the
// Perl program, or a version of this one from before there were locks.
func (s *session) originals() []state.Daemon {
	keepLocks := map[int]bool{}
	for _, d := range s.locked() {
		keepLocks[d.PID] = true
	}
	var list []state.Daemon
	for _, o := range state.Originals(s.dirs.usualPids) {
		if keepLocks[o.PID] {
			continue
		}
		d := state.Daemon{Record: state.Record{PID: o.PID, PIDFile: o.PIDFile, Namespace: state.Namespace()}}
		if path, err := conf.Search(o.File()); err == nil {
			d.File = state.Canonical(path)
			if cfg, err := conf.Load(path, harmless(s.dirs.configOptions())); err == nil {
				d.Services = director.Services(cfg)
			}
		}
		list = append(list, d)
	}
	return list
}

// hangs says whether the daemon of this session lives and its heartbeat is late.
func (s *session) hangs() bool {
	d, ok := s.running()
	return ok && d.KeepsLock() && !d.Beats()
}
