package engine

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/perlre"
)

// The secrets of the checks below, which no error may contain.
const passwd = "pa55word"

// never is a pattern that nobody's answer matches.
func never(t *testing.T) *perlre.Pattern {
	t.Helper()
	p, err := perlre.Compile("^as it should$")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// streamChecks are the checks of every service over tcp, with and without TLS. config
// is for those over TLS.
func streamChecks(t *testing.T, addr netip.AddrPort, config *tls.Config) map[string]checker.Checker {
	t.Helper()
	receive := never(t)
	checks := map[string]checker.Checker{
		"smtp":                 checker.SMTP{Service: "smtp", Addr: addr},
		"smtp, STARTTLS":       checker.SMTP{Service: "smtp", Addr: addr, StartTLS: config},
		"submission":           checker.SMTP{Service: "submission", Addr: addr},
		"submission, STARTTLS": checker.SMTP{Service: "submission", Addr: addr, StartTLS: config},
		"pop":                  checker.POP{Addr: addr, Login: "m", Passwd: passwd},
		"pop, STARTTLS":        checker.POP{Addr: addr, Login: "m", Passwd: passwd, StartTLS: config},
		"pops":                 checker.POP{Addr: addr, Login: "m", Passwd: passwd, TLS: config},
		"imap":                 checker.IMAP{Addr: addr, Login: "m", Passwd: passwd},
		"imap, STARTTLS":       checker.IMAP{Addr: addr, Login: "m", Passwd: passwd, StartTLS: config},
		"imaps":                checker.IMAP{Addr: addr, Login: "m", Passwd: passwd, TLS: config},
		"nntp":                 checker.NNTP{Addr: addr},
		"dns":                  checker.DNS{Network: "tcp", Addr: addr, Request: "www.example.com", Receive: receive},
		"sip":                  checker.SIP{Network: "tcp", Addr: addr, Login: "m@example.com"},
		"simpletcp":            checker.SimpleTCP{Addr: addr, Request: `hello\n`, Receive: receive},
		"redis":                checker.Redis{Addr: addr, Login: "m", Passwd: passwd},
		"memcached":            checker.Memcached{Addr: addr},
		"agent":                checker.Agent{Addr: addr},
		"grpc":                 checker.GRPC{Addr: addr},
		"grpc, TLS":            checker.GRPC{Addr: addr, TLS: config},
		"ldap":                 checker.LDAP{Addr: addr, Request: "/dc=x", Login: "cn=m", Passwd: passwd},
		"ldap, STARTTLS":       checker.LDAP{Addr: addr, Request: "/dc=x", StartTLS: config},
		"ldaps":                checker.LDAP{Addr: addr, Request: "/dc=x", TLS: config},
		"mysql":                checker.MySQL{Addr: addr, Login: "m", Passwd: passwd, Request: "/select 1"},
		"pgsql":                checker.PgSQL{Addr: addr, Login: "m", Passwd: passwd, Request: "/select 1"},
		"oracle":               checker.Oracle{Addr: addr, Login: "m", Passwd: passwd, Database: "X", Request: "/select 1 from dual"},
		"ftp":                  checker.FTP{Addr: addr, Login: "m", Passwd: passwd, Request: "/file", Receive: receive},
		"tls":                  checker.TLS{Addr: addr, Config: config},
	}
	for name, o := range map[string]checker.HTTPOptions{
		"http":                    {Service: "http", Request: "/"},
		"http, HEAD":              {Service: "http", Request: "/", Method: http.MethodHead},
		"http, HTTP/1.0":          {Service: "http", Request: "/", Version: "1.0"},
		"http, HTTP/2":            {Service: "http", Request: "/", Version: "2"},
		"https":                   {Service: "https", Request: "/"},
		"https, HTTP/2":           {Service: "https", Request: "/", Version: "2"},
		"http_proxy":              {Service: "http_proxy", Request: "http://www.example.com/"},
		"http_proxy, https to it": {Service: "http_proxy", Request: "https://www.example.com/"},
	} {
		if o.Method != http.MethodHead {
			o.Receive = receive
		}
		checks[name] = newHTTP(t, o, addr, config)
	}
	return checks
}

// datagramChecks are the checks of every service over udp.
func datagramChecks(t *testing.T, addr netip.AddrPort) map[string]checker.Checker {
	t.Helper()
	return map[string]checker.Checker{
		"dns":       checker.DNS{Network: "udp", Addr: addr, Request: "www.example.com", Receive: never(t)},
		"sip":       checker.SIP{Network: "udp", Addr: addr, Login: "m@example.com"},
		"radius":    checker.Radius{Addr: addr, Login: "m", Passwd: passwd, Secret: passwd},
		"simpleudp": checker.SimpleUDP{Addr: addr, Request: "hello", Receive: never(t)},
	}
}
