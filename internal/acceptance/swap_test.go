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

	"github.com/ldirectord/ldirectord/internal/lab"
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

// TestSwap takes the place of the Perl daemon under systemd, as the documents say, and
// restarts, under traffic: no connection is lost and the table is never empty. Then the
// daemon becomes a normal user's, and a dynamic one's.
// TestLongSwap does more of it, and gives the place back.
func TestSwap(t *testing.T) {
	t.Parallel()
	if w := newSwap(t); w != nil {
		w.swap(t, [][]string{{"systemctl", "restart", "ldirectord"}})
		w.asUser(t)
		w.asDynamicUser(t)
	}
}

// A swap is a booted site with the Perl daemon at work.
type swap struct {
	*site
	w                      *watch
	m                      *machine
	ours, perl, debianUnit string // files
	held                   held
}

// newSwap boots the site with other units of systemd beside the daemon's. It returns nil
// outside of the lab.
func newSwap(t *testing.T, others ...string) *swap {
	t.Helper()
	lab.Need(t, "systemd", "ldirectord", "libwww-perl", "procps")
	w := &swap{ours: lab.Program(t, program)}
	if !lab.Inside(t) {
		return nil
	}
	began := time.Now()
	w.perl = filepath.Join(t.TempDir(), "perl")
	copyFile(t, installedFile, w.perl, 0o755)
	w.debianUnit = filepath.Join(t.TempDir(), "unit")
	copyFile(t, unitFile, w.debianUnit, 0o644)
	if err := os.RemoveAll("/var/lib/ldirectord"); err != nil { // of the machine: systemd could not move it for a dynamic user
		t.Fatal(err)
	}
	w.site = newSite(t, lab.DR)
	w.w = w.watch()
	copyFile(t, w.perl, installedFile, 0o755)
	if err := os.WriteFile(configFile, []byte(swapConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	w.m = w.boot("ldirectord.service", others...)
	t.Logf("systemd and the Perl daemon are up after %v", time.Since(began).Round(time.Millisecond))
	w.comesFull(t, "the Perl daemon")
	return w
}

// startLimit bounds the start of the Perl daemon, which needs seconds of the processor in
// a guest: a busy machine makes them minutes.
const startLimit = 5 * limit

// comesFull waits until both real servers are in.
func (s *site) comesFull(t testing.TB, what string) {
	t.Helper()
	if !within(startLimit, func() bool { return strings.Count(s.Table(), "-r ") == 2 }) {
		t.Fatalf("%s: both real servers did not come within %v: %q", what, startLimit, s.Table())
	}
}

// swap puts ours in the place of the Perl daemon, and restarts it with commands.
func (w *swap) swap(t testing.TB, restarts [][]string) {
	t.Helper()
	began := time.Now()
	visits, stop := w.visit(w.visitPatiently)
	visits.next(3)
	w.held = w.hold(20)
	from := time.Now()
	w.w.taken()

	copyFile(t, w.ours, installedFile, 0o755)
	copyFile(t, "../../packaging/ldirectord.service", unitFile, 0o644)
	w.m.refused("systemctl daemon-reload && systemctl restart ldirectord.service", "ldirectord", "restart")
	w.m.must("systemctl", "daemon-reload")
	w.m.must("systemctl", "restart", "ldirectord")
	w.m.isOurs(t, true)
	w.held.live(t, "the swap")
	if got := w.w.taken(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "DEL_DEST") || slices.Contains(got, "FLUSH") {
		t.Errorf("the swap asked the kernel for %q", got)
	}
	for _, words := range restarts {
		w.w.taken()
		w.m.must(words...)
		visits.next(3)
		if got := w.w.taken(); len(got) > 0 {
			t.Errorf("%q asked the kernel for %q", words, got)
		}
	}
	w.m.isOurs(t, true)
	w.held.live(t, "restarts")
	stop()
	for _, one := range visits.since(from) {
		if one.ended && one.err != nil {
			t.Errorf("a visit failed: %v", one.err)
		}
	}
	t.Logf("the swap and %d restarts took %v", len(restarts), time.Since(began).Round(time.Millisecond))
}

// visitPatiently is a visit that fails only if the connection does: a guest that starts
// programs on a busy machine may be slow.
func (s *site) visitPatiently() (string, error) {
	return s.getWithin(limit, s.visitor(false), "http://"+vip+"/")
}

// isOurs compares what runs as the unit's main process with the program of ours.
func (m *machine) isOurs(t testing.TB, want bool) {
	t.Helper()
	line := m.must("cat", "/proc/"+m.mainPID()+"/cmdline")
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
