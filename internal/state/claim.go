package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A Claim is a daemon's own lock, record and heartbeat. Its methods may be called
// from any goroutine.
type Claim struct {
	dir Dir

	mu     sync.Mutex
	record Record
	file   *os.File // locked
	cookie string   // the content of the pid file
	stale  bool     // a write of the record to disk has failed
}

// A RunningError means that a living daemon has the same configuration file.
type RunningError struct{ PID int }

func (e *RunningError) Error() string { return fmt.Sprintf("already running, pid %d", e.PID) }

// A Contest is a virtual service that another living daemon controls.
type Contest struct {
	Service Service
	By      Daemon
}

func (c Contest) String() string {
	return fmt.Sprintf("virtual service %s is steered by process %d for %s", c.Service.ID, c.By.PID, c.By.File)
}

// A ContestError means that other daemons control some of the virtual services. It
// is not empty.
type ContestError []Contest

func (e ContestError) Error() string {
	lines := make([]string, len(e))
	for i, c := range e {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

// Claim makes this process the daemon of r, whose PID and Namespace it sets. The
// error is a *RunningError or a ContestError if another daemon prevents it. others
// are living daemons without a lock.
func (d Dir) Claim(r Record, others []Daemon) (*Claim, error) {
	r.PID, r.Namespace = os.Getpid(), Namespace()
	if p, ok := readProcess(r.PID); ok {
		r.Started = p.started
	}
	c := &Claim{dir: d, record: r, cookie: fmt.Sprintf("%d\n", r.PID)}
	err := d.oneAtATime(func() error {
		if other, ok := d.find(r.File); ok {
			return &RunningError{other.PID}
		}
		if err := d.pidFileFree(r, others); err != nil {
			return err
		}
		if contests := c.Contested(r.Services, others); len(contests) > 0 {
			return ContestError(contests)
		}
		return c.take()
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// pidFileFree returns the reason why r's pid file cannot be its own: two files of
// one name in two directories have one pid file.
func (d Dir) pidFileFree(r Record, others []Daemon) error {
	for _, other := range append(d.Living(), others...) {
		if r.PIDFile != "" && other.PIDFile == r.PIDFile {
			return other.HasPIDFile()
		}
	}
	return nil
}

// take takes the lock and writes the record, the heartbeat and the pid file.
func (c *Claim) take() error {
	file, err := waitForLock(c.path(lockEnding)) // of a daemon that was just killed
	if err != nil {
		return err
	}
	c.file = file
	if err := writeRecord(c.path(recordEnding), &c.record); err != nil {
		file.Close()
		return err
	}
	if err := c.writePIDFile(); err != nil {
		c.remove()
		return fmt.Errorf("pid file %s: %w", c.record.PIDFile, err)
	}
	c.beat()
	return nil
}

func (c *Claim) path(ending string) string {
	return filepath.Join(string(c.dir), fileName(c.record.File)+ending)
}

// writePIDFile writes the process id for other programs, without following a
// symbolic link.
func (c *Claim) writePIDFile() error {
	if c.record.PIDFile == "" {
		return nil
	}
	file, err := os.OpenFile(c.record.PIDFile, os.O_RDWR|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(c.cookie)
	return errors.Join(err, file.Close())
}

// Contested is Claim.Contested for the daemon that a start for file would make.
func (d Dir) Contested(file string, services []Service, others []Daemon) []Contest {
	c := &Claim{dir: d, record: Record{File: file, Namespace: Namespace()}}
	return c.Contested(services, others)
}

// Contested returns those of services that other living daemons of this network
// namespace control.
func (c *Claim) Contested(services []Service, others []Daemon) []Contest {
	var list []Contest
	for _, other := range append(c.dir.Living(), others...) {
		if SameFile(other.lock, c.path(lockEnding)) || other.Namespace != c.record.Namespace {
			continue
		}
		theirs := make(map[ipvs.Key]bool, len(other.Services))
		for _, s := range other.Services {
			theirs[s.Key] = true
		}
		for _, s := range services {
			if theirs[s.Key] {
				list = append(list, Contest{s, other})
			}
		}
	}
	return list
}

// Extend adds those of services that no other daemon controls to the record, and
// returns the others. It is called before the services are written to the kernel.
func (c *Claim) Extend(services []Service, others []Daemon) (contests []Contest, err error) {
	err = c.dir.oneAtATime(func() error {
		contests = c.Contested(services, others)
		lost := make(map[ipvs.Key]bool, len(contests))
		for _, l := range contests {
			lost[l.Service.Key] = true
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.record.Services = slices.DeleteFunc(Union(c.record.Services, services), func(s Service) bool { return lost[s.Key] })
		return c.writeRecord()
	})
	return contests, err
}

// Publish replaces the record's services. It is called when the kernel has no other
// services of this daemon.
func (c *Claim) Publish(services []Service) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.Services = services
	return c.writeRecord()
}

// writeRecord writes the record. c.mu is held. After an error Beat retries it.
func (c *Claim) writeRecord() error {
	err := writeRecord(c.path(recordEnding), &c.record)
	c.stale = err != nil
	return err
}

// Union returns a and those of b whose key is not in a; for a key in both, b's
// service counts.
func Union(a, b []Service) []Service {
	var all []Service
	place := make(map[ipvs.Key]int, len(a)+len(b))
	for _, s := range slices.Concat(a, b) {
		if i, ok := place[s.Key]; ok {
			all[i] = s
			continue
		}
		place[s.Key] = len(all)
		all = append(all, s)
	}
	return all
}

// Beat proves that the daemon works, and restores files that other programs have
// removed: lock, record and pid file. The error is about one of those.
func (c *Claim) Beat() error {
	err := c.relock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return nil // released
	}
	err = errors.Join(err, c.restore())
	c.beat()
	return err
}

// relock takes the lock again if its file was removed.
func (c *Claim) relock() error {
	if !c.unlocked() {
		return nil
	}
	return c.dir.oneAtATime(func() error { // before c.mu, as Extend does
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.file == nil {
			return nil
		}
		file, err := takeLock(c.path(lockEnding))
		if err != nil {
			return err
		}
		c.file.Close()
		c.file = file
		return nil
	})
}

// unlocked reports whether the file of the lock was removed.
func (c *Claim) unlocked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.file != nil && !means(c.path(lockEnding), c.file)
}

// restore writes record and pid file again if they were removed. c.mu is held.
func (c *Claim) restore() error {
	var err error
	if _, lost := os.Stat(c.path(recordEnding)); lost != nil || c.stale {
		err = c.writeRecord()
	}
	if c.record.PIDFile == "" {
		return err
	}
	text, _ := os.ReadFile(c.record.PIDFile)
	if string(text) == c.cookie || isOriginal(pidOf(text)) {
		return err
	}
	return errors.Join(err, c.writePIDFile())
}

// Release removes the daemon's files, and ends its claim.
func (c *Claim) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text, _ := os.ReadFile(c.record.PIDFile); string(text) == c.cookie { // else it is another's
		_ = os.Remove(c.record.PIDFile)
	}
	c.remove()
}

func (c *Claim) remove() {
	if means(c.path(lockEnding), c.file) {
		_ = os.Remove(c.path(recordEnding))
		_ = os.Remove(c.path(lockEnding))
	}
	c.file.Close()
	c.file = nil
}
