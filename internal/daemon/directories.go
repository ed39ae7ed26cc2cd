package daemon

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/logfile"
)

// Directories are the directories of a daemon for the files that its configuration does
// not name. All are absolute. Each is the one of an option, else of systemd's variable
// (RuntimeDirectory=, StateDirectory= and LogsDirectory= of a unit), else the usual one.
type Directories struct {
	PIDs  string // pid files
	Run   string // locks, records, sockets, the state of the host's setup
	State string // what outlives the process: orders, maintenance, the services that are ours
	Logs  string // logs that the configuration does not name; "" is /var/log

	usualPIDs, usualRun string // PIDs and Run of a daemon without option and variable

	options []string // the options with which another process finds the same directories
}

// Wanted are directories as the command line has them, "" where it has none.
type Wanted struct{ Run, State, Logs string }

// FindDirectories returns the directories of a process whose options want some. usualRun
// and usualState are used without option and variable. A unit with
// RuntimeDirectory=ldirectord needs no option for commands of any user to find its
// directory: it is the usual one.
func FindDirectories(usualRun, usualState string, wanted Wanted) (d Directories, err error) {
	d.usualPIDs, d.usualRun = usualRun, filepath.Join(usualRun, "ldirectord")
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
	run := given(wanted.Run, "rundir", "RUNTIME_DIRECTORY")
	d.PIDs, d.Run = cmp.Or(run, d.usualPIDs), cmp.Or(run, d.usualRun)
	d.State = cmp.Or(given(wanted.State, "statedir", "STATE_DIRECTORY"), usualState)
	d.Logs = given(wanted.Logs, "logdir", "LOGS_DIRECTORY")
	return d, err
}

// Options returns the command-line options with which another process finds the same
// directories.
func (d Directories) Options() []string { return slices.Clone(d.options) }

// systemdDirectory is the first directory of one of systemd's variables, "" if there is
// none. The variables of another unit do not count: a cluster manager or keepalived
// passes its own on to its children. SYSTEMD_EXEC_PID (systemd 248) is the process that
// systemd set them for: this process, or the shell that started it.
func systemdDirectory(variable string) string {
	switch os.Getenv("SYSTEMD_EXEC_PID") {
	case "", strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getppid()):
		first, _, _ := strings.Cut(os.Getenv(variable), ":")
		return first
	}
	return ""
}

// DefaultLog is the log file of a configuration that names none.
func (d Directories) DefaultLog() string {
	if d.Logs == "" {
		return logfile.DefaultPath
	}
	return filepath.Join(d.Logs, filepath.Base(logfile.DefaultPath))
}
