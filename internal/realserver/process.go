package realserver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a program may take until it answers: the first
	// start of a database on a loaded machine.
	startTimeout = 60 * time.Second
	// stopTimeout is how long it may take until it has ended.
	stopTimeout = 10 * time.Second
	// pollInterval is how often it is looked whether that has happened.
	pollInterval = 10 * time.Millisecond
)

// run starts argv, which has to stay in the foreground, for the first time,
// and ends it with the test.
func (d *Daemon) run(argv ...string) *Daemon {
	d.t.Helper()
	d.argv = argv
	d.t.Cleanup(func() {
		if d.t.Failed() {
			said := d.output()
			d.t.Logf("%s said:\n%s", d.name, said[max(0, len(said)-4096):])
		}
		d.Stop()
	})
	d.Start()
	return d
}

// Start starts the Daemon again after Stop, on the same addresses, and returns
// when it listens.
func (d *Daemon) Start() {
	d.t.Helper()
	before := len(d.output())
	if err := d.spawn(); err != nil {
		d.t.Fatalf("starting %s: %v", d.name, err)
	}
	for _, p := range d.ports {
		d.await(fmt.Sprintf("nobody listens on %s (%s)", p.addr, p.name), p.taken)
	}
	d.await("it is not ready", func() bool { return strings.Contains(d.output()[before:], d.ready) })
}

// spawn starts the process. Its parent is a thread of its own that lives as
// long as it: the kernel kills it when its parent thread ends, so that nothing
// is left over when a test binary is killed.
func (d *Daemon) spawn() error {
	cmd, err := d.command(d.argv)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	out, err := os.OpenFile(d.outputPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	started := make(chan error)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(ended)
		defer out.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ended: that it did is what counts
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	d.pid, d.ended = cmd.Process.Pid, ended
	return nil
}

// await returns when done is true; lacks describes the missing condition.
func (d *Daemon) await(lacks string, done func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(startTimeout)
	for !done() {
		select {
		case <-d.ended:
			d.t.Fatalf("%s ended by itself", d.name)
		case <-time.After(pollInterval):
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: %s after %v", d.name, lacks, startTimeout)
		}
	}
}

// Stop ends the Daemon and returns when no port has a listener. A second Stop has
// no effect.
func (d *Daemon) Stop() {
	d.t.Helper()
	if d.pid == 0 {
		return
	}
	if d.hasData {
		d.signal(syscall.SIGCONT)
		_ = syscall.Kill(d.pid, syscall.SIGTERM) // an error is that it has ended
		select {
		case <-d.ended:
		case <-time.After(stopTimeout):
		}
	}
	d.signal(syscall.SIGKILL)
	<-d.ended
	d.awaitEnd("it has processes left", func() bool {
		d.signal(syscall.SIGKILL) // again, for a child that was born meanwhile
		return survivors(d.pid) == 0
	})
	d.pid = 0
	for _, p := range d.ports {
		d.awaitEnd(fmt.Sprintf("somebody listens on %s", p.addr), func() bool { return !p.taken() })
	}
}

// awaitEnd returns when ended is true for a Daemon that was killed; left describes
// its remains.
func (d *Daemon) awaitEnd(left string, ended func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(stopTimeout); !ended(); time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			d.t.Fatalf("%s was stopped, but %s", d.name, left)
		}
	}
}

// Pause stops all processes of the Daemon where they are: connections are
// accepted by the kernel and never answered.
func (d *Daemon) Pause() {
	d.t.Helper()
	d.awaitEnd("a thread of it still runs", func() bool {
		d.signal(syscall.SIGSTOP) // again, for a child that was born meanwhile
		return !slices.ContainsFunc(family(d.pid), func(pid int) bool { return !stopped(pid) })
	})
}

// stopped reports whether no thread of a process runs: a signal stops one after the
// other (proc_pid_stat(5), field 3).
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		state := string(text[bytes.LastIndexByte(text, ')')+1:])
		if !strings.HasPrefix(state, " T") && !strings.HasPrefix(state, " Z") && !strings.HasPrefix(state, " X") {
			return false
		}
	}
	return true
}

// Continue lets a paused Daemon go on.
func (d *Daemon) Continue() {
	d.t.Helper()
	d.signal(syscall.SIGCONT)
}

// signal sends sig to the Daemon and all that it has started.
func (d *Daemon) signal(sig syscall.Signal) {
	if d.pid == 0 {
		return
	}
	for _, pid := range family(d.pid) {
		_ = syscall.Kill(pid, sig) // an error is that it has ended meanwhile
	}
}

func (d *Daemon) outputPath() string { return filepath.Join(d.Dir, "output") }

// Output returns what the Daemon has written to its standard output and error so
// far.
func (d *Daemon) Output() string { return d.output() }

// output returns the Daemon's output so far.
func (d *Daemon) output() string {
	out, err := os.ReadFile(d.outputPath())
	if err != nil {
		return ""
	}
	return string(out)
}
