package state

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Living are the daemons that live on this host, each network namespace's.
func (d Dir) Living() []Daemon {
	locks, _ := filepath.Glob(filepath.Join(string(d), "*"+lockEnding)) // the pattern is good
	var list []Daemon
	for _, lock := range locks {
		if daemon, ok := readDaemon(lock); ok {
			list = append(list, daemon)
		}
	}
	return list
}

// readDaemon is the daemon that holds a lock. Its record is there before the lock
// is seen by others, which wait for oneAtATime, except by a reader in the first
// moment, for which it does not live yet.
func readDaemon(lock string) (Daemon, bool) {
	if !isLocked(lock) {
		return Daemon{}, false
	}
	daemon := Daemon{lock: lock}
	err := readFile(strings.TrimSuffix(lock, lockEnding)+recordEnding, &daemon.Record)
	return daemon, err == nil && daemon.PID > 0 && daemon.mayTell() && !dies(daemon.PID)
}

// mayTell says whether what the record names is of the user whose record it is. In the
// directory of a daemon that runs as a normal user this user can write any record, and
// root would end the process and remove the pid file that it names.
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

// isPIDFile says whether a path has the name of a daemon's pid file.
func isPIDFile(path string) bool {
	name := filepath.Base(path)
	return filepath.IsAbs(path) && strings.HasPrefix(name, "ldirectord.") && strings.HasSuffix(name, ".pid")
}

// Find is the living daemon of a configuration file, under whatever name it was
// started.
func (d Dir) Find(file string) (Daemon, bool) {
	for _, daemon := range d.Living() {
		if daemon.Steers(file) {
			return daemon, true
		}
	}
	return Daemon{}, false
}

// Steers says whether it is the daemon of a configuration file.
func (d Daemon) Steers(file string) bool { return sameFile(d.File, file) }

// Lives says whether the daemon's process has not ended.
func (d Daemon) Lives() bool {
	if d.lock == "" {
		return isOriginal(d.PID)
	}
	if isLocked(d.lock) {
		return true
	}
	p, ok := readProcess(d.PID) // it lets go of the lock a moment before its end
	return ok && p.state != 'Z' && p.started == d.Started
}

// KeepsLock says whether the daemon has a lock, a record and a heartbeat.
func (d Daemon) KeepsLock() bool { return d.lock != "" }
