package state

import (
	"path/filepath"
	"strings"
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
	return daemon, err == nil && daemon.PID > 0 && !dies(daemon.PID)
}

// Find is the living daemon of a configuration file, under whatever name it was
// started.
func (d Dir) Find(file string) (Daemon, bool) {
	for _, daemon := range d.Living() {
		if sameFile(daemon.File, file) {
			return daemon, true
		}
	}
	return Daemon{}, false
}

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
