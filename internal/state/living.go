package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Living returns the living daemons of this host, in all network namespaces.
func (d Dir) Living() []Daemon {
	locks, _ := filepath.Glob(filepath.Join(string(d), "*"+lockEnding)) // the pattern is valid
	var list []Daemon
	for _, lock := range locks {
		if daemon, ok := readDaemon(lock); ok {
			list = append(list, daemon)
		}
	}
	return list
}

// readDaemon returns the daemon that holds a lock. Its record exists before other
// daemons see the lock, since they wait for oneAtATime; for a mere reader the
// daemon does not live before it has a record.
func readDaemon(lock string) (Daemon, bool) {
	if !isLocked(lock) {
		return Daemon{}, false
	}
	daemon := Daemon{lock: lock}
	err := readFile(strings.TrimSuffix(lock, lockEnding)+recordEnding, &daemon.Record)
	return daemon, err == nil && daemon.PID > 0 && daemon.mayTell() && !dies(daemon.PID)
}

// mayTell reports whether the process and pid file in the record belong to the
// owner of the record. In the directory of a daemon that runs as a normal user this
// user can write any record, and root would end the process and remove the pid file
// in it.
func (d Daemon) mayTell() bool {
	info, err := os.Stat(d.lock)
	if err != nil {
		return false
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner == 0 {
		return true
	}
	user, ok := userOf(d.PID)
	return ok && (user == owner || isOriginal(d.PID)) && (d.PIDFile == "" || isPIDFile(d.PIDFile))
}

// isPIDFile reports whether a path has the name of a daemon's pid file.
func isPIDFile(path string) bool {
	name := filepath.Base(path)
	return filepath.IsAbs(path) && strings.HasPrefix(name, "ldirectord.") && strings.HasSuffix(name, ".pid")
}

// find returns the living daemon of a configuration file, started under any name of
// it.
func (d Dir) find(file string) (Daemon, bool) {
	for _, daemon := range d.Living() {
		if daemon.Steers(file) {
			return daemon, true
		}
	}
	return Daemon{}, false
}

// HasPIDFile is the error of another configuration file whose pid file is d's.
func (d Daemon) HasPIDFile() error {
	return fmt.Errorf("the pid file %s is that of process %d for %s: give one of the two configuration files another name",
		d.PIDFile, d.PID, d.File)
}

// Steers reports whether d is the daemon of a configuration file.
func (d Daemon) Steers(file string) bool { return SameFile(d.File, file) }

// Lives reports whether the daemon's process has not ended.
func (d Daemon) Lives() bool {
	if d.lock == "" {
		return isOriginal(d.PID)
	}
	if isLocked(d.lock) {
		return true
	}
	p, ok := readProcess(d.PID) // the lock is released shortly before the process ends
	return ok && p.state != 'Z' && p.started == d.Started
}

// KeepsLock reports whether the daemon has a lock, a record and a heartbeat.
func (d Daemon) KeepsLock() bool { return d.lock != "" }
