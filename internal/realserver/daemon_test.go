package realserver

import (
	"bufio"
	"crypto/x509"
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

// Every program starts, ends, and starts again where it was.
func TestPrograms(t *testing.T) {
	programs := map[string]struct {
		start func(*testing.T) *Daemon
		ports []string
	}{
		"dovecot": {
			func(t *testing.T) *Daemon { return Dovecot(t, NewAuthority(t).Server("localhost")) },
			[]string{"imap", "imap6", "imaps", "imaps6", "pop", "pop6", "pops", "pops6"},
		},
		"inn6":      {func(t *testing.T) *Daemon { return INN6(t, true) }, []string{"nntp"}},
		"inn":       {func(t *testing.T) *Daemon { return INN(t, true) }, []string{"nntp"}},
		"kamailio":  {Kamailio, []string{"sip", "sip6"}},
		"mariadb":   {MariaDB, []string{"mysql", "mysql6"}},
		"memcached": {Memcached, []string{"memcached", "memcached6"}},
		"nginx": {
			func(t *testing.T) *Daemon { return Nginx(t, NewAuthority(t)) },
			[]string{"http", "http6", "https", "https6", "https12", "https13", "https-client", "https-expired", "https-wrong-name"},
		},
		"postfix": {
			func(t *testing.T) *Daemon { return Postfix(t, NewAuthority(t).Server("localhost")) },
			[]string{"smtp", "smtp6", "submission", "submission6", "refusing"},
		},
		"postgresql": {PostgreSQL, []string{"pgsql", "pgsql6"}},
		"redis":      {func(t *testing.T) *Daemon { return Redis(t, true) }, []string{"redis", "redis6"}},
		"sshd":       {SSHD, []string{"ssh"}},
		"slapd": {
			func(t *testing.T) *Daemon { return Slapd(t, NewAuthority(t).Server("localhost")) },
			[]string{"ldap", "ldap6", "ldaps", "ldaps6"},
		},
		"tinyproxy": {Tinyproxy, []string{"http_proxy", "http_proxy6"}},
		"unbound":   {Unbound, []string{"dns", "dns6"}},
		"vsftpd6":   {Vsftpd6, []string{"ftp"}},
	}
	for name, tt := range programs {
		t.Run(name, func(t *testing.T) {
			d := tt.start(t)
			d.Stop()
			d.Start()
			for _, port := range tt.ports {
				if !dials(d.Addr(port)) {
					t.Errorf("%s: nobody listens on %s", port, d.Addr(port))
				}
			}
		})
	}
}

func TestFreeRADIUS(t *testing.T) {
	d := FreeRADIUS(t)
	p := port{network: "udp", addr: d.Addr("radius")}
	d.Stop()
	if p.taken() {
		t.Error("stopped, but somebody has the port")
	}
	d.Start()
	if !p.taken() {
		t.Error("started again, but nobody has the port")
	}
}

func TestAuthority(t *testing.T) {
	a := NewAuthority(t)
	verify := func(c *Certificate, name string, usage x509.ExtKeyUsage) error {
		_, err := c.TLS.Leaf.Verify(x509.VerifyOptions{Roots: a.Pool, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}})
		return err
	}
	server := a.Server("www.example.com", "127.0.0.1")
	for _, name := range []string{"www.example.com", "127.0.0.1"} {
		if err := verify(server, name, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("a server's certificate for %s: %v", name, err)
		}
	}
	if err := verify(server, "other.example.com", x509.ExtKeyUsageServerAuth); err == nil {
		t.Error("a server's certificate is good for another name")
	}
	if err := verify(a.Expired("www.example.com"), "www.example.com", x509.ExtKeyUsageServerAuth); err == nil {
		t.Error("an expired certificate is good")
	}
	if err := verify(a.Client("monitor"), "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Errorf("a client's certificate: %v", err)
	}
}

func TestParseStat(t *testing.T) {
	got := parseStat("42 (a ) (b) S 7 42 40 0 -1 4194560")
	if want := (process{pid: 42, parent: 7, session: 40}); got != want {
		t.Errorf("parseStat = %+v, want %+v", got, want)
	}
	if got := parseStat("43 (b) Z 7 42 40 0 -1 4194560"); !got.zombie {
		t.Errorf("parseStat = %+v, want a zombie", got)
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
