package realserver_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// nameServer is dns, by udp and tcp.
func (s *site) nameServer() {
	d := s.daemon(realserver.Unbound(s.t))
	at, at6 := d.Addr("dns"), d.Addr("dns6")
	ask := func(request, receive string) []string {
		return []string{`request="` + request + `"`, `receive="` + receive + `"`}
	}
	a := ask("www.example.com", `^10\.0\.9\.2$`)
	s.service("dns", 53, at, at6, with(a, "protocol=udp")...)
	s.service("dns", 53, at, at6, with(a, "protocol=tcp")...)
	s.up("dns, AAAA", 53, at, ask("six.example.com", "fd00::9")...)
	s.up("dns, PTR", 53, at, ask("10.0.9.1", "^ptr")...)
	for name, c := range map[string]struct {
		why   string
		lines []string
	}{
		"another address":  {`A: receive "10.1" does not match`, ask("www.example.com", "10.1")},
		"no such name":     {"NXDOMAIN", ask("nx.example.com", "x")},
		"no way to know":   {"SERVFAIL", ask("broken.example", "x")},
		"not for us":       {"REFUSED", ask("refused.example", "x")},
		"receive is empty": {"receive is empty", []string{`request="www.example.com"`}},
	} {
		s.down("dns, "+name, c.why, at, with(c.lines, "service=dns", "protocol=udp")...)
	}
}

// telephony is sip, by udp and tcp, and simpleudp and simpletcp, which can send
// the same request.
func (s *site) telephony() {
	d := s.daemon(realserver.Kamailio(s.t))
	at, at6 := d.Addr("sip"), d.Addr("sip6")
	for _, protocol := range []string{"protocol=tcp", "protocol=udp"} {
		s.service("sip", 5060, at, at6, protocol, `login="monitor@example.com"`)
		s.down("sip, busy, "+protocol, `answered "503 Service Unavailable"`, at, "service=sip", protocol, `login="busy@example.com"`)
	}
	options := func(user, by string) string {
		return `request="OPTIONS sip:` + user + `@example.com SIP/2.0\nVia: SIP/2.0/` + by + ` example.com;rport;branch=z9hG4bK1\n` +
			`From: <sip:a@example.com>;tag=1\nTo: <sip:a@example.com>\nCall-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"`
	}
	s.service("simpleudp", 0, at, at6, "protocol=udp", options("monitor", "UDP"), `receive="^SIP/2.0 200"`)
	s.down("simpleudp, another answer", `receive "^SIP/2.0 200" not found`, at, "service=simpleudp", "protocol=udp", options("busy", "UDP"), `receive="^SIP/2.0 200"`)
}

// news is nntp, and simpletcp, which can speak it.
func (s *site) news() {
	d, d6 := s.daemon(realserver.INN(s.t, true)), s.daemon(realserver.INN6(s.t, true))
	at := d.Addr("nntp")
	s.service("nntp", 119, at, d6.Addr("nntp"))
	s.down("nntp, lets nobody in", `greeting: "502 You have no permission`, realserver.INN(s.t, false).Addr("nntp"), "service=nntp")
	date := `request="DATE\nQUIT\n"`
	s.service("simpletcp", 0, at, d6.Addr("nntp"), date, `receive="^111 \d{14}"`)
	s.down("simpletcp, another answer", `receive "^211" not found`, at, "service=simpletcp", date, `receive="^211"`)
}

// health is grpc, for which Debian has no server.
func (s *site) health(ca *realserver.Authority) {
	at := healthServer(s.t, nil)
	secure := healthServer(s.t, ca.Server("127.0.0.1"))
	s.always("grpc, TLS", secure, "service=grpc", "starttls=yes", "sslverify=yes", "sslcafile="+ca.File)
	s.down("grpc, TLS, an unknown authority", "certificate signed by unknown authority", secure, "service=grpc", "starttls=yes")
	s.always("grpc", at, "service=grpc")
	s.always("grpc, one of its services", at, "service=grpc", `request="shop"`)
	s.down("grpc, a service that does not serve", "NOT_SERVING", at, "service=grpc", `request="pay"`)
	s.down("grpc, no such service", "grpc status NOT_FOUND", at, "service=grpc", `request="nothing"`)
	s.down("grpc, nobody there", "connection refused", lab.HoldPort(s.t), "service=grpc")
}

// otherChecks are the kinds of check that are not one of a service.
func (s *site) otherChecks() {
	d := s.daemon(realserver.Memcached(s.t))
	at, at6 := d.Addr("memcached"), d.Addr("memcached6")
	shell := s.script("check.sh", "#!/bin/bash\naddress=${3#[}\nexec 3<>/dev/tcp/${address%]}/$4\n")
	perl := s.script("check.pl", "use IO::Socket::IP;\nexit(IO::Socket::IP->new(PeerHost => $ARGV[2] =~ tr/[]//dr, PeerPort => $ARGV[3]) ? 0 : 1);\n")
	for _, at := range []netip.AddrPort{at, at6} {
		s.connects("connect", "connection refused", at, "checktype=connect")
		s.up("a number", unusual, at, "checktype=2", "service=memcached")
		s.always("ping", at, "checktype=ping")
		s.always("connect by udp, which is a ping", at, "checktype=connect", "protocol=udp")
		s.always("on", at, "checktype=on")
		s.always("none", at, "service=none")
		s.always("no service", at)
		s.connects("external", "exit status 1", at, "checktype=external", "checkcommand="+shell)
		s.connects("external-perl", "exit status 1", at, "checktype=external-perl", "checkcommand="+perl)
	}
	s.up("checkport", unusual, netip.AddrPortFrom(at.Addr(), 1), "service=memcached", fmt.Sprintf("checkport=%d", at.Port()))
}

// script writes a check command.
func (s *site) script(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return path
}
