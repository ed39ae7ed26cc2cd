package replay

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// perform does one step and records the output.
//
//	ldirectord ARGS        runs the program: its exit status and what it prints
//	run COMMAND ARGS       runs another command; ~ is the project's directory
//	attach ARGS            starts the program in the foreground
//	look [FILE]            does it run (FILE is t.cf), the table, the new lines of the log
//	table                  only the table
//	thresholds             of real servers that have any
//	requests, mails        the requests to the real servers, the mails
//	syslog, output         what the log daemon got, what an attached daemon printed
//	cat FILE               a file of the director
//	server ADDR:PORT MODE  how a real server behaves from now on
//	config FILE            puts FILE in place of t.cf
//	reload FILE            the same, and SIGHUP before the daemon sees that by itself
//	signal NAME [FILE]     to the daemon
//	gone [FILE]            waits until the daemon has ended
//	kill [FILE]            ends it without its doing
//	ipvsadm ARGS           what somebody else does to the table
//	mkdir, rm, touch FILE  files of the director
//	write FILE TEXT        writes a line to one
//	sleep SECONDS          where something is not to happen
func (s *stage) perform(st *step) {
	s.t.Helper()
	words := strings.Fields(strings.ReplaceAll(st.words, "~", project))
	verb, args := words[0], words[1:]
	if look := s.looks(verb, args); look != nil {
		var ready func() bool
		if verb == "look" {
			ready = func() bool { return s.logIs(file(args), st.want) }
		}
		st.got = s.until(st.want, ready, look)
		s.looked(verb)
		return
	}
	switch verb {
	case "ldirectord":
		st.got = s.ended(s.binary, append([]string{"ldirectord"}, args...))
	case "run":
		st.got = s.ended(args[0], args)
	case "attach":
		s.attach(args)
	case "server":
		s.servers.set(s.port(args[0]), args[1])
	case "config":
		s.configure(args[0])
	case "reload":
		s.reload(args[0])
	case "signal":
		s.must(syscall.Kill(s.pid(file(args[1:])), unix.SignalNum("SIG"+args[0])))
	case "gone":
		s.awaitEnd(s.pid(file(args)))
	case "kill":
		pid := s.pid(file(args))
		s.must(syscall.Kill(pid, syscall.SIGKILL))
		s.awaitEnd(pid)
	case "ipvsadm":
		st.got = s.ipvsadm(args...)
	case "mkdir":
		s.must(os.Mkdir(s.path(args[0]), 0o755))
	case "rm":
		s.must(os.RemoveAll(s.path(args[0])))
	case "touch":
		s.touch(s.path(args[0]))
	case "write":
		s.must(os.WriteFile(s.path(args[0]), []byte(strings.Join(args[1:], " ")+"\n"), 0o644))
	case "sleep":
		seconds, err := strconv.ParseFloat(args[0], 64)
		s.must(err)
		time.Sleep(time.Duration(seconds * float64(time.Second)))
	default:
		s.t.Fatalf("no step %q", verb)
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// file is the configuration file that a step is about.
func file(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "t.cf"
}

// awaitEnd waits until a daemon has ended.
func (s *stage) awaitEnd(pid int) {
	if s.attached != nil {
		_ = s.attached.Wait() // its exit status does not matter
		s.attached = nil
		return
	}
	s.gone(pid)
}

// configure replaces the configuration file, at a time of its own.
func (s *stage) configure(name string) {
	text, err := os.ReadFile(s.path("/etc/ha.d/" + name))
	s.must(err)
	s.must(os.WriteFile(s.path("/etc/ha.d/t.cf"), text, 0o644))
	s.touch(s.path("/etc/ha.d/t.cf"))
}

// reload replaces the configuration file by one of the same time, so that a slow
// machine does not have the daemon notice it before the signal comes.
func (s *stage) reload(name string) {
	now, next := s.path("/etc/ha.d/t.cf"), s.path("/etc/ha.d/"+name)
	was, err := os.Stat(now)
	s.must(err)
	s.must(os.Chtimes(next, was.ModTime(), was.ModTime()))
	s.must(os.Rename(next, now))
	s.must(syscall.Kill(s.pid("t.cf"), syscall.SIGHUP))
}

// touch gives a file a time that it did not have, and makes it if need be.
func (s *stage) touch(path string) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	s.must(err)
	s.must(f.Close())
	now := time.Now()
	s.must(os.Chtimes(path, now, now))
}
