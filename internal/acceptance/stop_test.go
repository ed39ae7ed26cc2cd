package acceptance

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestStop ends the daemon at awkward moments. It always ends soon, takes its
// services out of the kernel, and leaves nothing behind.
func TestStop(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	term := func(d *daemon) { d.signal(syscall.SIGTERM) }
	moments := []struct {
		name   string
		config string
		begin  func(*site, *daemon) // nil: start
		before func(*site, *daemon) // nil: nothing
		end    func(*daemon)        // nil: one signal
	}{
		{name: "while a silent real server is asked", config: patient(t), before: func(s *site, _ *daemon) {
			// The first of these tests: nobody has asked it before.
			await(s.t, "a check", func() bool { return s.checks("rs1") > 0 })
		}},
		{name: "while it starts", config: patient(t), begin: startAndLook},
		{name: "before the first answer", config: patient(t)},
		{name: "while a command runs", config: patient(t, "checktype = negotiate", "checktype = external\n    checkcommand = "+hang(t)), before: awaitHanging},
		{name: "while it reloads", config: gate.config(t), end: func(d *daemon) {
			d.signal(syscall.SIGHUP)
			d.signal(syscall.SIGTERM)
		}},
		{name: "twice", config: gate.config(t), end: func(d *daemon) {
			pid := d.pid()
			d.signal(syscall.SIGTERM)
			_ = syscall.Kill(pid, syscall.SIGTERM) // it may be gone already
		}},
		{name: "with an empty table", config: gate.config(t), end: func(d *daemon) {
			d.s.Output("director", "ipvsadm", "-C")
			d.signal(syscall.SIGTERM)
		}},
		{name: "with another's real server in", config: gate.config(t), end: func(d *daemon) {
			d.s.Ipvsadm("-a -t 192.168.1.99:80 -r 192.168.1.77:80 -g")
			d.signal(syscall.SIGTERM)
		}},
	}
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			s := s.in(t)
			s.Web("rs1").Silence()
			defer good(s, "rs1")
			d := s.prepare(m.config)
			if m.begin == nil {
				d.startAgain()
			} else {
				m.begin(s, d)
			}
			if m.before != nil {
				m.before(s, d)
			}
			pid, began := d.pid(), time.Now()
			if m.end == nil {
				m.end = term
			}
			m.end(d)
			await(t, "the daemon's end", func() bool { return gone(pid) })
			eventually.InTime(t, "the end", began, 0)
			d.log.await("Linux Director Daemon terminated on signal: TERM")
			if _, err := os.Stat(pidFile); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the pid file: %v", err)
			}
			if left := processes(t, "98765"); left != "" {
				t.Errorf("left running: %s", left)
			}
			s.holds("")
		})
	}
}

// patient is the how-to's file with timeouts that no stop may wait for.
func patient(t *testing.T, edits ...string) string {
	t.Helper()
	return howto(t, append(edits, "checktimeout = 5", "checktimeout = 3000")...)
}

// startAndLook starts the daemon and does not wait for start to return.
func startAndLook(s *site, d *daemon) {
	s.t.Helper()
	cmd := s.Command("director", "ldirectord", "ldirectord.cf", "start")
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = cmd.Wait() }) // a start that was stopped may say so
	await(s.t, "the pid file", func() bool { return d.pid() > 0 })
}

// hang makes a command that never ends, nor does its child.
func hang(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hang")
	if err := os.WriteFile(file, []byte("#!/bin/sh\nsleep 98765\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func awaitHanging(s *site, _ *daemon) {
	s.t.Helper()
	await(s.t, "the command", func() bool { return processes(s.t, "98765") != "" })
}

// processes are the command lines of those that have a word in it.
func processes(t testing.TB, word string) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, _ := os.ReadFile(file) // it may have ended
		if words := bytes.Split(line, []byte{0}); len(words) > 0 && bytes.Contains(line, []byte("\x00"+word+"\x00")) {
			found = append(found, string(bytes.Join(words, []byte(" "))))
		}
	}
	return strings.Join(found, "; ")
}
