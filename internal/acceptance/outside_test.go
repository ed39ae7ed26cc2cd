package acceptance

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestOutside has what the daemon depends on fail and come back, on a kernel's table.
func TestOutside(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	w := s.watch()
	t.Run("half-written", func(t *testing.T) { testHalfWritten(s.in(t), w.in(t), halfWriters[:2]) })
	t.Run("maintenance", func(t *testing.T) { testMaintenanceKept(s.in(t), w.in(t)) })
	t.Run("clock", func(t *testing.T) { testClock(s.in(t)) })
	t.Run("socket", func(t *testing.T) { testSocketRemoved(s.in(t)) })
}

const outsideConfig = `checktimeout=30
checkinterval=1
autoreload=yes
quiescent=no
virtual=` + vip + `:80
    real=` + real1 + `:80 masq
    real=` + real2 + `:80 masq
    service=http
    scheduler=rr
`

// outsideTable is the table with some of the real servers in service.
func outsideTable(reals ...string) string {
	var table strings.Builder
	table.WriteString("-A -t " + vip + ":80 -s rr\n")
	for _, r := range reals {
		table.WriteString("-a -t " + vip + ":80 -r " + r + ":80 -m -w 1\n")
	}
	return table.String()
}

// halfWriters write what is in the file $N into $F, as programs do.
var halfWriters = []string{
	`: >$F; sleep 3; cat $N >$F`,
	`(head -c 100 $N; sleep 4; tail -c +101 $N) >$F`,
	`while IFS= read -r l; do echo "$l"; sleep 0.4; done <$N >$F`,
	`head -c 100 $N >$F.new; sleep 3; cp $N $F.new; mv $F.new $F`,
	`dd if=$N of=$F bs=10 status=none`,
	`cp $N $F.v2; ln -s $F.v2 $F.link; mv -T $F.link $F`,
}

// testHalfWritten has programs write the file as programs do: no service leaves the
// table, and no real server but the one that the whole file has no more.
func testHalfWritten(s *site, w *watch, scripts []string) {
	d := s.start(outsideConfig)
	s.comesToHold(outsideTable(real1, real2))
	w.taken()
	full := s.t.TempDir() + "/full"
	for i, script := range scripts {
		text, want, asked := outsideConfig, outsideTable(real1, real2), "NEW_DEST"
		if i%2 == 0 {
			text, want, asked = strings.Replace(text, "    real="+real2+":80 masq\n", "", 1), outsideTable(real1), "DEL_DEST"
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", script)
		cmd.Env = append(os.Environ(), "F="+configFile, "N="+full)
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("%s: %v\n%s", script, err, out)
		}
		s.comesToHold(want)
		if diff := cmp.Diff([]string{asked}, w.taken()); diff != "" {
			s.t.Errorf("%s: asked of the kernel (-want +got):\n%s", script, diff)
		}
	}
	d.configure("checkinterval=1\nautoreload=yes\n# nothing else\n")
	s.comesToHold("")
	d.stop()
	for _, file := range []string{configFile, configFile + ".v2"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.t.Error(err)
		}
	}
}

// testMaintenanceKept has a file named after a host hold its real server over a crash
// without a resolver, and while the directory cannot be read.
func testMaintenanceKept(s *site, w *watch) {
	dir, hosts := s.t.TempDir(), "/etc/hosts"
	before, err := os.ReadFile(hosts)
	if err != nil {
		s.t.Fatal(err)
	}
	put := func(path, text string) {
		s.t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	defer put(hosts, string(before))
	put(hosts, string(before)+real1+" web1\n"+real2+" web2.example.com\n")
	put(dir+"/web2", "")
	d := s.start("maintenancedir=" + dir + "\n" + outsideConfig)
	s.comesToHold(outsideTable(real1))
	shows := func(words string) {
		s.t.Helper()
		await(s.t, "show with "+words, func() bool { return strings.Contains(d.run(0, "show"), words) })
	}
	shows("file web2 in the maintenance directory")

	put(hosts, string(before))
	d.kill()
	w.taken()
	d.run(0, "start")
	s.checkedAgain("rs2", 3)
	s.holds(outsideTable(real1))

	if err := os.Rename(dir, dir+".away"); err != nil {
		s.t.Fatal(err)
	}
	put(dir, "")
	shows("! maintenance directory " + dir + " cannot be read, maintenance stays as it is: ")
	s.checkedAgain("rs2", 3)
	d.kill()
	d.run(0, "start")
	s.checkedAgain("rs2", 3)
	s.holds(outsideTable(real1))
	if asked := w.taken(); len(asked) > 0 {
		s.t.Errorf("asked of the kernel meanwhile: %q, want nothing", asked)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir), os.Remove(dir+"/web2")); err != nil {
		s.t.Fatal(err)
	}
	s.comesToHold(outsideTable(real1, real2))
	d.stop()
}

// testSocketRemoved has the socket of the commands come back, and a page that is to be
// at an address that comes later.
func testSocketRemoved(s *site) {
	const later = "192.168.1.77"
	d := s.start("statuslisten=" + later + ":9180\n" + outsideConfig)
	if err := os.RemoveAll("/var/run/ldirectord"); err != nil {
		s.t.Fatal(err)
	}
	await(s.t, "the socket", func() bool {
		_, err := os.Stat("/var/run/ldirectord/ldirectord.cf.sock")
		return err == nil
	})
	if out := d.run(0, "show"); !strings.Contains(out, "! status cannot be asked at "+later+":9180: ") {
		s.t.Errorf("show does not say that there is no page:\n%s", out)
	}
	s.ip("director", "addr add "+later+"/24 dev eth0")
	d.log.await("No longer so: status cannot be asked at " + later + ":9180")
	if out := d.run(0, "show"); strings.Contains(out, later) {
		s.t.Errorf("show says still that there is no page:\n%s", out)
	}
	d.stop()
}

// testClock sets the clock of the machine an hour forward and back under a daemon: that
// is no standstill, and what has ended stays so.
func testClock(s *site) {
	set := func(by time.Duration) {
		s.t.Helper()
		now := unix.NsecToTimespec(time.Now().Add(by).UnixNano())
		if err := unix.ClockSettime(unix.CLOCK_REALTIME, &now); err != nil {
			s.t.Fatal(err)
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", "/var/run/ldirectord/ldirectord.cf.sock")
	}}}
	d := s.start(outsideConfig)
	s.comesToHold(outsideTable(real1, real2))
	alive := func(when string) {
		s.t.Helper()
		code := 0
		r, err := client.Get("http://ldirectord/healthz")
		if err == nil {
			code = r.StatusCode
			r.Body.Close()
		}
		if err != nil || code != http.StatusOK {
			s.t.Errorf("%s: /healthz answers %d, %v, want 200", when, code, err)
		}
	}
	alive("at first")
	d.run(0, "drain", real2, "--for", "2s")
	s.comesToHold(outsideTable(real1) + "-a -t " + vip + ":80 -r " + real2 + ":80 -m -w 0\n")
	s.comesToHold(outsideTable(real1, real2))
	for _, by := range []time.Duration{time.Hour, -time.Hour, -time.Hour, time.Hour} {
		set(by)
		alive("the clock was set by " + by.String())
		s.checkedAgain("rs2", 2) // the beats of another second have come by then
		alive("a while after the clock was set by " + by.String())
	}
	set(-time.Hour)
	defer set(time.Hour)
	d.kill()
	d.run(0, "start")
	s.checkedAgain("rs2", 2)
	s.holds(outsideTable(real1, real2))
	d.stop()
}
