package daemon

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
)

// directories are where a daemon keeps the files that its configuration does not name.
// All are absolute. Each is that of an option, else of systemd's variable for it
// (RuntimeDirectory=, StateDirectory= and LogsDirectory= of a unit), else the usual one.
type directories struct {
	pids  string // pid files
	run   string // locks, records, sockets, what the setup of the host has done
	state string // what outlives the process: orders, maintenance, which services are ours
	logs  string // logs that the configuration does not name; "" is /var/log

	usualPids, usualRun string // pids and run of a daemon without option and variable

	options []string // those that have a child find the same directories
}

// ownDirectories are those of this process. The directories of a unit named ldirectord
// are found without options, by every user: RuntimeDirectory=ldirectord is usualRun.
func (e *Env) ownDirectories(inv invocation) (d directories, err error) {
	d.usualPids, d.usualRun = e.RunDir, filepath.Join(e.RunDir, "ldirectord")
	given := func(option, name, variable string) string {
		dir := cmp.Or(option, systemdDirectory(variable))
		if dir == "" || err != nil {
			return ""
		}
		if dir, err = filepath.Abs(dir); err == nil {
			d.options = append(d.options, "--"+name+"="+dir)
		}
		return dir
	}
	run := given(inv.runDir, "rundir", "RUNTIME_DIRECTORY")
	d.pids, d.run = cmp.Or(run, d.usualPids), cmp.Or(run, d.usualRun)
	d.state = cmp.Or(given(inv.stateDir, "statedir", "STATE_DIRECTORY"), e.StateDir)
	d.logs = given(inv.logDir, "logdir", "LOGS_DIRECTORY")
	return d, err
}

// systemdDirectory is the first directory of one of systemd's variables, "" if there is
// none. The variables of another unit do not count: a cluster manager or keepalived
// passes its own on to what it runs. SYSTEMD_EXEC_PID (systemd 248) is the process that
// they were made for, this one or the shell that started it.
func systemdDirectory(variable string) string {
	switch os.Getenv("SYSTEMD_EXEC_PID") {
	case "", strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getppid()):
		first, _, _ := strings.Cut(os.Getenv(variable), ":")
		return first
	}
	return ""
}

// defaultLog is the log file of a configuration that names none.
func (d directories) defaultLog() string {
	if d.logs == "" {
		return logfile.DefaultPath
	}
	return filepath.Join(d.logs, filepath.Base(logfile.DefaultPath))
}

// pidFile is where the daemon of this session leaves its process id.
func (s *session) pidFile() pidFile { return s.pidFiles()[0] }

// pidFiles is pidFile, and where a daemon with other directories may have left its own.
func (s *session) pidFiles() []pidFile {
	name := "ldirectord." + s.name() + ".pid"
	files := []pidFile{pidFile(filepath.Join(s.dirs.pids, name))}
	for _, dir := range []string{s.dirs.usualPids, s.dirs.usualRun} {
		if dir != s.dirs.pids {
			files = append(files, pidFile(filepath.Join(dir, name)))
		}
	}
	return files
}

// dir is where this daemon leaves its lock and record.
func (s *session) dir() state.Dir { return state.Dir(s.dirs.run) }

// locked are the living daemons that keep a lock, in the directory of this session and
// in the usual one.
func (s *session) locked() []state.Daemon {
	list := s.dir().Living()
	if s.dirs.usualRun != s.dirs.run {
		list = append(list, state.Dir(s.dirs.usualRun).Living()...)
	}
	return list
}

// others are living daemons that are not in this session's directory of locks.
func (s *session) others() []state.Daemon {
	list := s.originals()
	if s.dirs.usualRun != s.dirs.run {
		list = append(list, state.Dir(s.dirs.usualRun).Living()...)
	}
	return list
}
