package daemon

import (
	"path/filepath"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/state"
)

// dir is where the daemons of this host leave their locks and records.
func (s *session) dir() state.Dir { return state.Dir(filepath.Join(s.RunDir, "ldirectord")) }

// running is the living daemon of this session's configuration file, under whatever
// name it was started, and whether there is one. A file that is gone is known by its
// pid file.
func (s *session) running() (state.Daemon, bool) {
	if s.foundAt != "" {
		if d, ok := s.dir().Find(s.foundAt); ok {
			return d, true
		}
	} else {
		for _, d := range s.dir().Living() {
			if d.PIDFile == string(s.pidFile()) {
				return d, true
			}
		}
	}
	for _, d := range s.originals() {
		if d.PIDFile == string(s.pidFile()) || s.foundAt != "" && d.File == state.Canonical(s.foundAt) {
			return d, true
		}
	}
	return state.Daemon{}, false
}

// originals are the living daemons that keep no lock, with what their files say: the
// Perl program, or a version of this one from before there were locks.
func (s *session) originals() []state.Daemon {
	keepLocks := map[int]bool{}
	for _, d := range s.dir().Living() {
		keepLocks[d.PID] = true
	}
	var list []state.Daemon
	for _, o := range state.Originals(s.RunDir) {
		if keepLocks[o.PID] {
			continue
		}
		d := state.Daemon{Record: state.Record{PID: o.PID, PIDFile: o.PIDFile, Namespace: state.Namespace()}}
		if path, err := conf.Search(o.File()); err == nil {
			d.File = state.Canonical(path)
			if cfg, err := conf.Load(path, harmless(configOptions())); err == nil {
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
