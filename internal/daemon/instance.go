package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
)

// An Instance is the daemon of one configuration file, whether it runs or not.
type Instance struct {
	Name  string // in the names of its files and in its log
	Path  string // of the configuration file
	Found bool   // there is a file at Path
	Dirs  Directories
}

// PIDFiles returns the path of the pid file, followed by the paths at which a daemon
// with other directories may have left its own.
func (i *Instance) PIDFiles() []string {
	name := "ldirectord." + i.Name + ".pid"
	files := []string{filepath.Join(i.Dirs.PIDs, name)}
	for _, dir := range []string{i.Dirs.usualPIDs, i.Dirs.usualRun} {
		if dir != i.Dirs.PIDs {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

// Socket is the path of the daemon's socket.
func (i *Instance) Socket() string { return filepath.Join(i.Dirs.Run, i.Name+".sock") }

// RunningSocket is the socket of the running daemon, whose name may be another: it was
// started without the name of its file, or by a link to it. It is Socket if no daemon of
// the file listens elsewhere.
func (i *Instance) RunningSocket() string {
	usual := i.Socket()
	if Listens(usual) {
		return usual
	}
	d, ok := i.Running()
	if !ok {
		return usual
	}
	name, begins := strings.CutPrefix(filepath.Base(d.PIDFile), "ldirectord.")
	name, ends := strings.CutSuffix(name, ".pid")
	if other := filepath.Join(i.Dirs.Run, name+".sock"); begins && ends && Listens(other) {
		return other
	}
	return usual
}

// The endings of the files that outlive a daemon.
const (
	overridesEnding   = ".overrides.json"
	maintenanceEnding = ".maintenance.json"
	dampedEnding      = ".damped.json"
	goneEnding        = ".gone.json"
)

// OverridesFile is the path of the file that keeps the orders of operators. It is found under
// every name of the configuration file, as is the daemon.
func (i *Instance) OverridesFile() string { return i.memory().Find(i.Path, overridesEnding, i.Name) }

// MaintenanceFile is the path of the file that keeps the state of the maintenance
// directory.
func (i *Instance) MaintenanceFile() string {
	return i.memory().Find(i.Path, maintenanceEnding, i.Name)
}

// DampedFile is the path of the file that keeps which real servers flapdamping keeps out of
// service.
func (i *Instance) DampedFile() string { return i.memory().Find(i.Path, dampedEnding, i.Name) }

// GoneFile is the path of the file that keeps which real servers their checks have taken out of service
// (quiescenttime, return = byhand).
func (i *Instance) GoneFile() string { return i.memory().Find(i.Path, goneEnding, i.Name) }

// adopt gives the files that an earlier daemon has left the names that this one uses.
func (p *process) adopt() {
	for _, ending := range []string{overridesEnding, maintenanceEnding, dampedEnding, goneEnding} {
		if err := p.memory().Adopt(p.Path, ending, p.Name); err != nil { // it stays where it is, and counts
			p.Log.Printf(logfile.NotAdopted, err)
		}
	}
}

// AnnouncedFile is the path of the file that keeps which addresses were added to devices.
func (i *Instance) AnnouncedFile() string {
	return filepath.Join(i.Dirs.State, i.Name+".announced.json")
}

// memory keeps which virtual services of the table are ours.
func (i *Instance) memory() state.Memory { return state.Memory(i.Dirs.State) }

// locks is the directory of the daemon's lock and record.
func (i *Instance) locks() state.Dir { return state.Dir(i.Dirs.Run) }

// Running returns the living daemon of the configuration file, under whatever name it
// was started, and whether there is one. The daemon of a file that is missing is found
// by its pid file, or by a place where the file would be looked for.
func (i *Instance) Running() (state.Daemon, bool) {
	mine := func(d state.Daemon) bool { return slices.Contains(i.PIDFiles(), d.PIDFile) }
	for _, d := range i.locked() {
		if i.Found && d.Steers(i.Path) || !i.Found && mine(d) {
			return d, true
		}
	}
	if d, ok := i.missingFile(); ok {
		return d, true
	}
	for _, d := range i.originals() {
		if mine(d) || i.Found && d.Steers(i.Path) {
			return d, true
		}
	}
	return state.Daemon{}, false
}

// OtherFiles are the configuration files of the other living daemons of this program, sorted.
func (i *Instance) OtherFiles() []string {
	var files []string
	for _, d := range i.locked() {
		if d.File != "" && (!i.Found || !d.Steers(i.Path)) {
			files = append(files, d.File)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// missingFile returns the daemon of a file that was where this instance's missing file would
// be looked for: it was started by another name of the file.
func (i *Instance) missingFile() (state.Daemon, bool) {
	if i.Found {
		return state.Daemon{}, false
	}
	for _, place := range conf.Places(i.Path) {
		for _, d := range i.locked() {
			if d.File == state.Canonical(place) {
				return d, true
			}
		}
	}
	return state.Daemon{}, false
}

// PIDFileOfOther is the error that a pid file is that of a living daemon of another
// configuration file with the same name, nil if it is not.
func (i *Instance) PIDFileOfOther(file string) error {
	for _, d := range i.locked() {
		if d.PIDFile == file && !d.Steers(i.Path) {
			return d.HasPIDFile()
		}
	}
	return nil
}

// Hangs reports whether the daemon lives and its heartbeat is late.
func (i *Instance) Hangs() bool {
	d, ok := i.Running()
	return ok && d.KeepsLock() && !d.Beats()
}

// locked returns the living daemons that keep a lock, in the directory of this instance
// and in the usual one.
func (i *Instance) locked() []state.Daemon {
	return append(i.locks().Living(), i.usualLocks()...)
}

// usualLocks returns the living daemons with a lock in the usual directory, nil if that
// is the directory of this instance, under whatever name: systemd says /run where it is
// /var/run otherwise.
func (i *Instance) usualLocks() []state.Daemon {
	if state.SameFile(i.Dirs.usualRun, i.Dirs.Run) {
		return nil
	}
	return state.Dir(i.Dirs.usualRun).Living()
}

// others returns the living daemons that are not in the directory of this instance's
// locks.
func (i *Instance) others() []state.Daemon { return append(i.originals(), i.usualLocks()...) }

// originals returns the living daemons without a lock, with the content of their files:
// the Perl program, or a version of this program that predates locks.
func (i *Instance) originals() []state.Daemon {
	keepLocks := map[int]bool{}
	for _, d := range i.locked() {
		keepLocks[d.PID] = true
	}
	var list []state.Daemon
	for _, o := range state.Originals(i.Dirs.usualPIDs) {
		if keepLocks[o.PID] {
			continue
		}
		d := state.Daemon{Record: state.Record{PID: o.PID, PIDFile: o.PIDFile, Namespace: state.Namespace()}}
		if path, err := conf.Search(o.File()); err == nil {
			d.File = state.Canonical(path)
			if cfg, err := conf.Load(path, Harmless(i.Dirs.ConfigOptions())); err == nil {
				d.Services = director.Services(cfg)
			}
		}
		list = append(list, d)
	}
	return list
}

// dryRunSockets returns the paths at which a dry run of this instance may listen, its
// own first. Such a socket answers queries and refuses orders. No configuration file has
// a name that makes it the socket of a daemon. A normal user has a directory of their
// own for sockets.
func (i *Instance) dryRunSockets() []string {
	usual := filepath.Join(i.Dirs.Run, i.Name+".dry-run")
	if os.Geteuid() == 0 || i.Dirs.Run != i.Dirs.usualRun {
		return []string{usual}
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return []string{filepath.Join(dir, "ldirectord", i.Name+".dry-run"), usual}
	}
	if dir := ownTempDir(); dir != "" {
		return []string{filepath.Join(dir, i.Name+".dry-run"), usual}
	}
	return []string{usual}
}

// DryRunSocket is the socket at which a dry run listens, or the one it would use.
func (i *Instance) DryRunSocket() string {
	sockets := i.dryRunSockets()
	if n := slices.IndexFunc(sockets, Listens); n >= 0 {
		return sockets[n]
	}
	return sockets[0]
}

// ownTempDir is a directory below /tmp that only this user can use, made if it is
// missing. It is "" if another user was first.
func ownTempDir() string {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("ldirectord-%d", os.Geteuid()))
	_ = os.Mkdir(dir, 0o700)
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return ""
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return ""
	}
	return dir
}

// listenTime bounds how long a socket may take to accept a connection.
const listenTime = time.Second

// Listens reports whether a process listens at a socket. A socket without permission
// counts: a request to it then reports the reason.
func Listens(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, listenTime)
	if err != nil {
		return errors.Is(err, os.ErrPermission)
	}
	conn.Close()
	return true
}
