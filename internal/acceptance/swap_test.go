package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ldirectord/internal/lab"
)

// unitFile is where Debian's package and ours have the unit.
const unitFile = "/lib/systemd/system/ldirectord.service"

// swapConfig is the file of both daemons. Connections to real servers that are out end.
const swapConfig = `checktimeout = 5
checkinterval = 1
quiescent = no
virtual = ` + vip + `:80
    real = ` + real1 + `:80 gate
    real = ` + real2 + `:80 gate
    scheduler = wlc
    protocol = tcp
    checktype = connect
`

// TestSwap takes the place of the Perl daemon under systemd, as the documents say,
// restarts, and gives the place back, under traffic: no connection is lost and the
// table is never empty.
func TestSwap(t *testing.T) {
	t.Parallel()
	lab.Need(t, "systemd", "ldirectord", "libwww-perl", "procps")
	ours := lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	began := time.Now()
	perl := filepath.Join(t.TempDir(), "perl")
	copyFile(t, installedFile, perl, 0o755)
	debianUnit := filepath.Join(t.TempDir(), "unit")
	copyFile(t, unitFile, debianUnit, 0o644)
	s := newSite(t, lab.DR)
	w := s.watch()
	copyFile(t, perl, installedFile, 0o755)
	if err := os.WriteFile(configFile, []byte(swapConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	m := s.boot("ldirectord.service")
	t.Logf("systemd and the Perl daemon are up after %v", time.Since(began).Round(time.Millisecond))
	full := func() bool { return strings.Count(s.Table(), "-r ") == 2 }
	await(t, "both real servers", full)

	visits, stop := s.visit(func() (string, error) { return s.get(s.visitor(false), "http://"+vip+"/") })
	visits.next(3)
	held := s.hold(20)
	from := time.Now()
	w.taken()

	// The swap.
	copyFile(t, ours, installedFile, 0o755)
	copyFile(t, "../../packaging/ldirectord.service", unitFile, 0o644)
	m.must("ldirectord", "check")
	m.refused("systemctl daemon-reload && systemctl restart ldirectord.service", "ldirectord", "restart")
	m.refused("systemctl stop ldirectord.service", "ldirectord", "stop")
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "restart", "ldirectord")
	m.isOurs(t, true)
	held.live(t, "the swap")
	if got := w.taken(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "DEL_DEST") || slices.Contains(got, "FLUSH") {
		t.Errorf("the swap asked the kernel for %q", got)
	}

	// Restarts.
	for _, words := range [][]string{{"systemctl", "restart", "ldirectord"}, {"systemctl", "try-restart", "ldirectord"}, {"systemctl", "reload", "ldirectord"}} {
		w.taken()
		m.must(words...)
		visits.next(3)
		if got := w.taken(); len(got) > 0 {
			t.Errorf("%q asked the kernel for %q", words, got)
		}
	}
	m.isOurs(t, true)
	held.live(t, "restarts")
	stop()
	for _, one := range visits.since(from) {
		if one.ended && one.err != nil {
			t.Errorf("a visit failed: %v", one.err)
		}
	}

	// The way back. The Perl daemon takes real servers out and puts them in at its start,
	// so that only what is held is asked of it.
	copyFile(t, perl, installedFile, 0o755)
	copyFile(t, debianUnit, unitFile, 0o644)
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "kill", "--kill-who=main", "--signal=KILL", "ldirectord")
	await(t, "the end of ours", func() bool { _, status := m.run("systemctl", "is-active", "-q", "ldirectord"); return status != 0 })
	m.must("systemctl", "start", "ldirectord")
	m.isOurs(t, false)
	await(t, "both real servers", full)
	held.live(t, "the way back")
	if got := w.taken(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "FLUSH") {
		t.Errorf("the way back asked the kernel for %q", got)
	}
	m.must("systemctl", "stop", "ldirectord")
	await(t, "an empty table", func() bool { return s.Table() == "" })
	t.Logf("all of it took %v", time.Since(began).Round(time.Millisecond))
}

// isOurs compares what runs as the unit's main process with the program of ours.
func (m *machine) isOurs(t *testing.T, want bool) {
	t.Helper()
	pid := strings.TrimSpace(m.must("systemctl", "show", "--property=MainPID", "--value", "ldirectord"))
	line := m.must("cat", "/proc/"+pid+"/cmdline")
	if got := !strings.Contains(line, "perl"); got != want {
		t.Errorf("the main process is %q; ours: %t, want %t", line, got, want)
	}
}

// Held are connections through the virtual service that are asked again and again.
type held []net.Conn

// hold opens n connections.
func (s *site) hold(n int) held {
	s.t.Helper()
	var list held
	for range n {
		conn, err := s.dial(s.t.Context(), netip.MustParseAddr(lab.Client), "tcp", vip+":80")
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { conn.Close() })
		list = append(list, conn)
	}
	list.live(s.t, "the beginning")
	return list
}

// live has each connection carry a request and its answer.
func (h held) live(t testing.TB, after string) {
	t.Helper()
	dead := 0
	var last error
	for _, conn := range h {
		if err := askAgain(conn); err != nil {
			dead, last = dead+1, err
		}
	}
	if dead > 0 {
		t.Errorf("after %s %d of %d connections are lost: %v", after, dead, len(h), last)
	}
}

func askAgain(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", vip); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil) // nothing follows the answer
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
