package realserver_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/realserver"
)

// A site is what virtual services are written for: a configuration file that
// names every service, and the programs behind it.
type site struct {
	t       *testing.T
	file    strings.Builder
	stories map[string]story // by virtual service
	daemons []*realserver.Daemon
	stopped time.Time // when the first of them was, zero is not
}

// A check gets so long, and says so when that was not enough.
const timeout = 4 * time.Second

var slow = "in " + timeout.String()

// A story has the states of the one real server of a virtual service: "up", or a
// part of the reason why it is down, alternatives between "|". "" is not compared:
// the log has no new reason for a real server that stays down.
type story struct {
	name                     string // of the case
	running, stopped, paused string // the programs
}

func newSite(t *testing.T) *site {
	s := &site{t: t, stories: map[string]story{}}
	fmt.Fprintf(&s.file, "checkinterval=1\nchecktimeout=%[1]g\nnegotiatetimeout=%[1]g\n", timeout.Seconds())
	return s
}

// daemon takes note of a program.
func (s *site) daemon(d *realserver.Daemon) *realserver.Daemon {
	s.daemons = append(s.daemons, d)
	return d
}

// virtual writes a virtual service with one real server. Its address is its own;
// its port says the service where no directive does.
func (s *site) virtual(story story, port uint16, at netip.AddrPort, directives ...string) {
	n := 1 + len(s.stories)
	virtual, real, v := "virtual", "real", netip.AddrFrom4([4]byte{10, 9, byte(n / 250), byte(1 + n%250)})
	if at.Addr().Is6() {
		virtual, real, v = "virtual6", "real6", netip.MustParseAddr(fmt.Sprintf("fd00:9::%x", n))
	}
	id := netip.AddrPortFrom(v, port).String()
	s.stories[id] = story
	fmt.Fprintf(&s.file, "%s=%s\n    %s=%s masq 100\n", virtual, id, real, at)
	for _, line := range directives {
		s.file.WriteString("    " + line + "\n")
	}
	s.file.WriteString("\n")
}

// up writes a virtual service whose real server is up while its program runs.
func (s *site) up(name string, port uint16, at netip.AddrPort, directives ...string) {
	// A program may be checked while it ends: it announces that, or its answer, which is
	// quoted, is an error because a part of it has ended.
	const stopped = `connection refused|connection reset|broken pipe|closed the connection|shutting down|500 OOPS: priv_sock|: "`
	s.virtual(story{name, "up", stopped, slow}, port, at, directives...)
}

// connects writes one that needs no answer but a connection.
func (s *site) connects(name, gone string, at netip.AddrPort, directives ...string) {
	s.virtual(story{name, "up", gone, "up"}, unusual, at, directives...)
}

// always writes one whose real server is up whatever happens to the programs.
func (s *site) always(name string, at netip.AddrPort, directives ...string) {
	s.virtual(story{name, "up", "up", "up"}, unusual, at, directives...)
}

// down writes one whose real server is not up, because of why.
func (s *site) down(name, why string, at netip.AddrPort, directives ...string) {
	s.virtual(story{name: name, running: why}, unusual, at, directives...)
}

// unusual is a port that stands for no service.
const unusual = 8000

// service writes four virtual services: by name and by port, over IPv4 and
// IPv6. A service without a port of its own is checked by name only.
func (s *site) service(name string, port uint16, at, at6 netip.AddrPort, directives ...string) {
	byName := append([]string{"service=" + name}, directives...)
	for _, at := range []netip.AddrPort{at, at6} {
		s.up(name+" by name", unusual, at, byName...)
		if port != 0 {
			s.up(name+" by port", port, at, directives...)
		}
	}
}

// write writes the file and returns its path.
func (s *site) write() string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "t.cf")
	if err := os.WriteFile(path, []byte(s.file.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// await waits until p says of every virtual service what its story is now.
func (s *site) await(p *program, when string, now func(story) string) {
	s.t.Helper()
	p.await(when, func() (wrong []string) {
		for id, story := range s.stories {
			got, want := p.verdict[id], now(story)
			if !agrees(got, want) && (want == "up" || !s.wasSlow(p, id)) {
				wrong = append(wrong, fmt.Sprintf("%s (%s): %q, want %q", story.name, id, got, want))
			}
		}
		slices.Sort(wrong)
		return wrong
	})
}

// wasSlow reports whether a real server was too slow for a check that began before the
// programs were stopped, or in the first second of that, as on a busy machine: the log
// has no second reason. A check that began later cannot have failed by then.
func (s *site) wasSlow(p *program, id string) bool {
	return strings.Contains(p.verdict[id], slow) && p.told[id].Before(s.stopped.Add(timeout+time.Second))
}

// agrees says whether a verdict is as wanted: one of the texts between "|" is in
// the reason.
func agrees(got, want string) bool {
	if want == "" || want == "up" || got == "up" {
		return want == "" || got == want
	}
	return slices.ContainsFunc(strings.Split(want, "|"), func(reason string) bool { return strings.Contains(got, reason) })
}

// again is the story when the programs are as at first.
func (s story) again() string {
	if s.running != "up" {
		return ""
	}
	return s.running
}

// TestEveryService lets ldirectord itself check every service of its real
// programs, by name and by port, over IPv4 and IPv6, and takes the programs
// through an outage.
func TestEveryService(t *testing.T) {
	s := newSite(t)
	ca := realserver.NewAuthority(t)
	nginx := s.daemon(realserver.Nginx(t, ca))
	s.web(nginx)
	s.overTLS(nginx, ca)
	s.proxy(ca)
	s.mail(ca)
	s.fileServer()
	s.directory(ca)
	s.nameServer()
	s.telephony()
	s.radius()
	s.databases()
	s.stores()
	s.news()
	s.health(ca)
	s.otherChecks()

	p := run(t, s.write())
	s.await(p, "running", func(s story) string { return s.running })
	s.stopped = time.Now()
	for _, d := range s.daemons {
		d.Stop()
	}
	s.await(p, "stopped", func(s story) string { return s.stopped })
	s.stopped = time.Time{}
	for _, d := range s.daemons {
		d.Start()
	}
	s.await(p, "started again", story.again)
	for _, d := range s.daemons {
		d.Pause()
	}
	s.await(p, "paused", func(s story) string { return s.paused })
	for _, d := range s.daemons {
		d.Continue()
	}
	s.await(p, "continued", story.again)
	if !strings.Contains(p.said(), "] Warning: the certificate of "+nginx.Addr("https").String()) {
		t.Error("no warning of a certificate that ends soon")
	}
	keepsSecrets(t, p.said())
}

// keepsSecrets looks for passwords in the program's output.
func keepsSecrets(t *testing.T, said string) {
	t.Helper()
	for _, secret := range []string{
		realserver.FTPPasswd, realserver.MailPasswd, realserver.RadiusPasswd, realserver.RadiusSecret,
		realserver.RedisPasswd, realserver.SQLPasswd, realserver.SlapdPasswd, wrongPasswd,
	} {
		if strings.Contains(said, secret) {
			t.Errorf("the log has the secret %q", secret)
		}
	}
}
