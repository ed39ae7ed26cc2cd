package realserver

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dials says whether a tcp connection can be opened.
func dials(addr netip.AddrPort) bool {
	return port{network: "tcp", addr: addr}.taken()
}

// firstLine returns the first line that a server sends, "" if it sends none
// within a moment.
func firstLine(t *testing.T, addr netip.AddrPort) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line)
}

// One program through all that a Daemon can do.
func TestDaemon(t *testing.T) {
	d := Vsftpd(t)
	addr := d.Addr("ftp")
	if got := firstLine(t, addr); !strings.HasPrefix(got, "220 ") {
		t.Errorf("greeting %q, want 220 …", got)
	}
	d.Pause()
	if got := firstLine(t, addr); got != "" || !dials(addr) {
		t.Errorf("paused: greeting %q, want a connection without an answer", got)
	}
	d.Continue()
	if got := firstLine(t, addr); !strings.HasPrefix(got, "220 ") {
		t.Errorf("continued: greeting %q, want 220 …", got)
	}
	d.Pause()
	d.Stop()
	if dials(addr) {
		t.Error("stopped, but somebody listens")
	}
	d.Stop()
	d.Start()
	if !dials(addr) {
		t.Error("started again, but nobody listens")
	}
}

func TestDatabases(t *testing.T) {
	start := map[string]func(*testing.T) *Daemon{
		"mysql": MariaDB,
		"pgsql": PostgreSQL,
		"ldaps": func(t *testing.T) *Daemon { return Slapd(t, NewAuthority(t).Server("127.0.0.1")) },
	}
	for name, start := range start {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			d.Stop()
			d.Start()
			if !dials(d.Addr(name)) {
				t.Errorf("nobody listens on %s", d.Addr(name))
			}
		})
	}
}

func TestParseStat(t *testing.T) {
	got := parseStat("42 (a ) (b) S 7 42 40 0 -1 4194560")
	if want := (process{pid: 42, parent: 7, session: 40}); got != want {
		t.Errorf("parseStat = %+v, want %+v", got, want)
	}
	if got := parseStat("nothing"); got != (process{}) {
		t.Errorf("parseStat = %+v, want nothing", got)
	}
}

func TestFamily(t *testing.T) {
	got := family(os.Getpid())
	if diff := cmp.Diff([]int{os.Getpid()}, got[:1]); diff != "" {
		t.Errorf("the first of a family is its parent (-want +got):\n%s", diff)
	}
}
