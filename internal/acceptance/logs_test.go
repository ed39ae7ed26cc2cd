package acceptance

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLogs takes the logs away under the daemon. It goes on working all the
// time, and logging as soon as it can.
func TestLogs(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	t.Run("rotated", func(t *testing.T) { testRotated(s.in(t)) })
	t.Run("full disk", func(t *testing.T) { testFullDisk(s.in(t)) })
	t.Run("no directory", func(t *testing.T) { testNoDirectory(s.in(t)) })
}

// testRotated renames the logs, as logrotate does, and cuts them, as its
// copytruncate does.
func testRotated(s *site) {
	v := gate
	d := s.startUp(v, "")
	d.monitor.rest()
	for _, file := range []string{logFile, monitorLog} {
		if err := os.Rename(file, file+".1"); err != nil {
			s.t.Fatal(err)
		}
	}
	d.log, d.monitor = newTail(s.t, logFile), newTail(s.t, monitorLog)
	v.dieAndReturn(s, d)
	d.monitor.next(v.isGone(v.r1, "connection refused"), v.isBack(v.r1, "down DOWN"))
	for _, file := range []string{logFile, monitorLog} {
		if err := os.Truncate(file, 0); err != nil {
			s.t.Fatal(err)
		}
	}
	d.log, d.monitor = newTail(s.t, logFile), newTail(s.t, monitorLog)
	v.dieAndReturn(s, d)
	d.monitor.next(v.isGone(v.r1, "connection refused"), v.isBack(v.r1, "down DOWN"))
	d.stop()
	if lines := newTail(s.t, logFile+".1").lines(); strings.Contains(strings.Join(lines, "\n"), "terminated") {
		s.t.Errorf("the rotated log has later lines:\n%s", strings.Join(lines, "\n"))
	}
}

// testFullDisk fills the disk of the logs.
func testFullDisk(s *site) {
	disk := s.t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		s.t.Fatal(err)
	}
	defer unix.Unmount(disk, unix.MNT_DETACH)
	v, said := gate, s.syslog()
	d := s.startUpIn(disk, v)
	// Files that begin now find no room.
	for _, file := range []string{"log", "monitor"} {
		if err := os.Rename(filepath.Join(disk, file), filepath.Join(disk, file+".1")); err != nil {
			s.t.Fatal(err)
		}
	}
	fill(s.t, filepath.Join(disk, "fill"))
	v.dieAndReturnUnlogged(s)
	v.dieAndReturnUnlogged(s)
	if err := os.Remove(filepath.Join(disk, "fill")); err != nil {
		s.t.Fatal(err)
	}
	d.logsAnewIn(disk)
	v.dieAndReturn(s, d)
	d.missesLines("no space left on device", said())
	d.stop()
}

// testNoDirectory takes the directory of the logs away.
func testNoDirectory(s *site) {
	dir := filepath.Join(s.t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	v, said := gate, s.syslog()
	d := s.startUpIn(dir, v)
	if err := os.Rename(dir, dir+".1"); err != nil {
		s.t.Fatal(err)
	}
	v.dieAndReturnUnlogged(s)
	v.dieAndReturnUnlogged(s)
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	d.logsAnewIn(dir)
	v.dieAndReturn(s, d)
	d.missesLines("no such file or directory", said())
	d.stop()
}

// startUpIn starts a daemon with its logs in a directory, and waits until both
// real servers are in.
func (s *site) startUpIn(dir string, v variant) *daemon {
	s.t.Helper()
	text := strings.Replace(v.config(s.t), logFile, dir+"/log", 1)
	d := s.start("monitorlog = " + dir + "/monitor\n" + text)
	d.logsAnewIn(dir)
	d.comesUp(v)
	return d
}

// logsAnewIn has the tails follow logs in a directory, from their beginnings.
func (d *daemon) logsAnewIn(dir string) {
	d.log, d.monitor = newTail(d.s.t, filepath.Join(dir, "log")), newTail(d.s.t, filepath.Join(dir, "monitor"))
}

// missesLines sees that both logs begin with how much is missing and why, and
// that the syslog daemon was told once of each.
func (d *daemon) missesLines(why string, said []string) {
	d.s.t.Helper()
	for _, l := range []tail{d.log, d.monitor} {
		gap := regexp.MustCompile(`^\d+ lines are missing here: .*` + regexp.QuoteMeta(l.path+": "+why) + `$`)
		if first := l.lines()[0]; !gap.MatchString(first) {
			d.s.t.Errorf("%s begins with %q", l.path, first)
		}
		told := 0
		for _, line := range said {
			if strings.HasSuffix(line, l.path+": "+why) {
				told++
			}
		}
		if told != 1 {
			d.s.t.Errorf("of %s syslog was told %d times: %q", l.path, told, said)
		}
	}
}

// dieAndReturnUnlogged is dieAndReturn where there is no log to tell.
func (v variant) dieAndReturnUnlogged(s *site) {
	s.t.Helper()
	s.Web("rs1").Stop()
	s.comesToHold(v.holding("rs2"))
	revive(s, "rs1")
	s.comesToHold(v.holding("rs1", "rs2"))
}

// fill writes a file until the disk is full.
func fill(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 512); err == nil; {
		_, err = f.Write(block)
	}
}

// syslog stands for the syslog daemon until the end of the test; said is what
// it was told.
func (s *site) syslog() (said func() []string) {
	s.t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		conn.Close()
		_ = os.Remove("/dev/log")
	})
	var mu sync.Mutex
	var lines []string
	go func() {
		for buf := make([]byte, 8192); ; {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			mu.Lock()
			lines = append(lines, string(buf[:n]))
			mu.Unlock()
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), lines...)
	}
}
