package checker_test

import (
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// TestRealDNS checks Unbound, over udp and tcp.
func TestRealDNS(t *testing.T) {
	d := realserver.Unbound(t)
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			run := func(request, pattern string) checker.DNS {
				return checker.DNS{Network: network, Addr: d.Addr("dns"), Request: request, Receive: receive(t, pattern)}
			}
			talkReal(t, []realTalk{
				{name: "A", check: run("/www.example.com", `^10\.0\.9\.2$`), detail: "A 10.0.9.2"},
				{name: "AAAA", check: run("six.example.com", "fd00::9"), detail: "AAAA fd00::9"},
				{name: "PTR", check: run("10.0.9.1", `^ptr\.example\.com$`), detail: "PTR ptr.example.com"},
				{name: "PTR of IPv6", check: run("fd00::9", "ptr"), detail: "PTR ptr.example.com"},
				{name: "more than fits into a datagram", check: run("many.example.com", `10\.0\.8\.199`), detail: "A 10.0.8.199"},
				{name: "no match", check: run("www.example.com", "10.9"), err: `A: receive "10.9" does not match "10.0.9.`},
				{name: "receive is empty", check: run("www.example.com", ""), err: "receive is empty"},
				{name: "no such name", check: run("nx.example.com", "x"), err: "A: NXDOMAIN"},
				{name: "no way to know", check: run("broken.example", "x"), err: "A: SERVFAIL"},
				{name: "not for us", check: run("refused.example", "x"), err: "A: REFUSED"},
			})
		})
	}
	www := receive(t, "10.0.9.1")
	outage(t, d,
		checker.DNS{Network: "udp", Addr: d.Addr("dns"), Request: "www.example.com", Receive: www},
		checker.DNS{Network: "tcp", Addr: d.Addr("dns"), Request: "www.example.com", Receive: www},
		checker.DNS{Network: "udp", Addr: d.Addr("dns6"), Request: "www.example.com", Receive: www},
		checker.DNS{Network: "tcp", Addr: d.Addr("dns6"), Request: "www.example.com", Receive: www})
}

// TestRealSIP checks Kamailio, over udp and tcp.
func TestRealSIP(t *testing.T) {
	d := realserver.Kamailio(t)
	var checks []checker.Talker
	for _, network := range []string{"udp", "tcp"} {
		busy := checker.SIP{Network: network, Addr: d.Addr("sip"), Login: "busy@example.com"}
		talkReal(t, []realTalk{{name: network + ", busy", check: busy, err: `answered "503 Service Unavailable"`}})
		for _, port := range []string{"sip", "sip6"} {
			checks = append(checks, checker.SIP{Network: network, Addr: d.Addr(port), Login: "ldirectord@example.com"})
		}
	}
	outage(t, d, checks...)
}

// TestRealRadius checks FreeRADIUS.
func TestRealRadius(t *testing.T) {
	d := realserver.FreeRADIUS(t)
	good := checker.Radius{
		Addr: d.Addr("radius"), Secret: realserver.RadiusSecret,
		Login: realserver.RadiusUser, Passwd: realserver.RadiusPasswd,
	}
	wrong, nobody := good, good
	wrong.Passwd = "wrong"
	nobody.Login = "nobody"
	talkReal(t, []realTalk{
		{name: "accepted", check: good, detail: "Access-Accept"},
		{name: "wrong password", check: wrong, err: "answered Access-Reject"},
		{name: "unknown user", check: nobody, err: `answered Access-Reject: "who are you"`},
	})
	// It does not answer those who sign with another secret.
	t.Run("wrong secret", func(t *testing.T) {
		stranger := good
		stranger.Secret = "wrong"
		runSilent(t, stranger, "no answer in 300ms")
	})
	outage(t, d, good)
}
