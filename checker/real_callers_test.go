package checker

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// A realCase is one check of a real daemon and its expected result.
type realCase struct {
	name  string
	check Caller
	want  string // contained in the error, "" is up
}

// A soon repeats a check until its error contains a text.
type soon struct {
	Caller
	want string
}

func (s soon) Check(ctx context.Context) (detail string, err error) {
	for {
		if detail, err = s.Caller.Check(ctx); strings.Contains(errText(err), s.want) || ctx.Err() != nil {
			return detail, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestRealLDAP checks OpenLDAP's server.
func TestRealLDAP(t *testing.T) {
	ca := realserver.NewAuthority(t)
	d := realserver.Slapd(t, ca.Server("127.0.0.1"))
	plain, secure := d.Addr("ldap"), d.Addr("ldaps")
	trusting := &tls.Config{RootCAs: ca.Pool, ServerName: "127.0.0.1"}
	doubting := &tls.Config{ServerName: "127.0.0.1"}
	good := LDAP{Addr: plain, Login: realserver.SlapdUser, Passwd: realserver.SlapdPasswd, Request: "/" + realserver.SlapdSuffix}
	with := func(change func(*LDAP)) LDAP {
		l := good
		change(&l)
		return l
	}
	ldaps := with(func(l *LDAP) { l.Addr, l.TLS = secure, trusting })
	startTLS := with(func(l *LDAP) { l.StartTLS = trusting })
	askReal(t, d, []realCase{
		{"ldap", good, ""},
		{"ldaps", ldaps, ""},
		{"STARTTLS", startTLS, ""},
		{"anonymous", LDAP{Addr: plain, Request: "/" + realserver.SlapdSuffix}, ""},
		{"the root entry", LDAP{Addr: plain, Request: "/"}, ""},
		{"the DN matches", with(func(l *LDAP) { l.Receive = pattern(t, "^dc=example,") }), ""},
		{"the DN does not match", with(func(l *LDAP) { l.Receive = pattern(t, "dc=org") }), `receive "dc=org" not found`},
		{"no such entry", with(func(l *LDAP) { l.Request = "/cn=nobody," + realserver.SlapdSuffix }), "No Such Object (32)"},
		{"no DN", with(func(l *LDAP) { l.Request = "/what?" }), "Invalid DN Syntax (34)"},
		{"wrong password", with(func(l *LDAP) { l.Passwd = "bad" }), "bind as " + realserver.SlapdUser + ": Invalid Credentials (49)"},
		{"nobody's login", with(func(l *LDAP) { l.Login = "cn=nobody" }), "bind as cn=nobody: "},
		{"an unknown authority", with(func(l *LDAP) { l.Addr, l.TLS = secure, doubting }), "TLS handshake: x509: certificate signed by unknown authority"},
		{"STARTTLS, an unknown authority", with(func(l *LDAP) { l.StartTLS = doubting }), "STARTTLS: "},
		{"TLS to the plain port", with(func(l *LDAP) { l.TLS = trusting }), "TLS handshake: "},
		{"plain to the TLS port", with(func(l *LDAP) { l.Addr = secure }), "bind as " + realserver.SlapdUser + ": "},
	}, good, ldaps, startTLS)
}

// TestRealMySQL checks MariaDB's server.
func TestRealMySQL(t *testing.T) {
	d := realserver.MariaDB(t)
	good := MySQL{
		Addr: d.Addr("mysql"), Login: realserver.SQLUser, Passwd: realserver.SQLPasswd,
		Database: realserver.SQLDatabase, Request: "/SELECT id FROM stock",
	}
	with := func(change func(*MySQL)) MySQL {
		m := good
		change(&m)
		return m
	}
	askReal(t, d, []realCase{
		{"rows", good, ""},
		{"no database", with(func(m *MySQL) { m.Database, m.Request = "", "/SELECT 1" }), ""},
		{"no rows", with(func(m *MySQL) { m.Request = "/SELECT id FROM sold" }), "the query returned no rows"},
		{"no result", with(func(m *MySQL) { m.Request = "/DO 1" }), "the query returned no rows"},
		{"a great many rows", with(func(m *MySQL) { m.Request = "/SELECT REPEAT('x', 1000) FROM seq_1_to_100000" }), ""},
		{"no such table", with(func(m *MySQL) { m.Request = "/SELECT 1 FROM nothing" }), "query: Table 'shop.nothing' doesn't exist (1146)"},
		{"no SQL", with(func(m *MySQL) { m.Request = "/what?" }), "query: You have an error in your SQL syntax"},
		{"wrong password", with(func(m *MySQL) { m.Passwd = "bad" }), "login as monitor: Access denied for user 'monitor'@'127.0.0.1' (using password: YES) (1045)"},
		{"no password", with(func(m *MySQL) { m.Passwd = "" }), "using password: NO"},
		{"no such database", with(func(m *MySQL) { m.Database = "nothing" }), "login as monitor: "},
		{"a query that hangs", with(func(m *MySQL) { m.Request = "/SELECT SLEEP(100)" }), hangs},
	}, good)
}

// TestRealPgSQL checks PostgreSQL's server.
func TestRealPgSQL(t *testing.T) {
	d := realserver.PostgreSQL(t)
	good := PgSQL{
		Addr: d.Addr("pgsql"), Login: realserver.SQLUser, Passwd: realserver.SQLPasswd,
		Database: realserver.SQLDatabase, Request: "/SELECT id FROM stock",
	}
	with := func(change func(*PgSQL)) PgSQL {
		p := good
		change(&p)
		return p
	}
	askReal(t, d, []realCase{
		{"rows", good, ""},
		{"no rows", with(func(p *PgSQL) { p.Request = "/SELECT id FROM sold" }), "the query returned no rows"},
		{"a great many rows", with(func(p *PgSQL) { p.Request = "/SELECT repeat('x', 1000) FROM generate_series(1, 100000)" }), ""},
		{"no such table", with(func(p *PgSQL) { p.Request = "/SELECT 1 FROM nothing" }), `query: relation "nothing" does not exist (42P01)`},
		{"no SQL", with(func(p *PgSQL) { p.Request = "/what?" }), "query: syntax error"},
		{"wrong password", with(func(p *PgSQL) { p.Passwd = "bad" }), `login as monitor: password authentication failed for user "monitor" (28P01)`},
		{"no such database", with(func(p *PgSQL) { p.Database = "nothing" }), `login as monitor: database "nothing" does not exist (3D000)`},
		{"the database called as the login", with(func(p *PgSQL) { p.Database = "" }), `login as monitor: database "monitor" does not exist (3D000)`},
		{"a query that hangs", with(func(p *PgSQL) { p.Request = "/SELECT pg_sleep(100)" }), hangs},
		{"which is ended in the server too", soon{with(func(p *PgSQL) {
			p.Request = "/SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(10%'"
		}), "the query returned no rows"}, "the query returned no rows"},
	}, good)
}

// TestRealFTP checks vsftpd.
func TestRealFTP(t *testing.T) {
	d := realserver.Vsftpd(t)
	good := FTP{
		Addr: d.Addr("ftp"), Login: realserver.FTPUser, Passwd: realserver.FTPPasswd,
		Request: "/index.html", Receive: pattern(t, "^Welcome"),
	}
	with := func(change func(*FTP)) FTP {
		f := good
		change(&f)
		return f
	}
	askReal(t, d, []realCase{
		{"a file", good, ""},
		{"only the login", with(func(f *FTP) { f.Request, f.Receive = "/", nil }), ""},
		{"another text", with(func(f *FTP) { f.Receive = pattern(t, "Willkommen") }), `receive "Willkommen" not found in 15 bytes: "Welcome to FTP\n"`},
		{"no such file", with(func(f *FTP) { f.Request = "/missing" }), "RETR /missing: 550 Failed to open file."},
		{"a directory", with(func(f *FTP) { f.Request = "/" }), "RETR /: 550 Failed to open file."},
		{"wrong password", with(func(f *FTP) { f.Passwd = "bad" }), "login as anonymous: 530 Login incorrect."},
		{"nobody's login", with(func(f *FTP) { f.Login = "nobody" }), "login as nobody: "},
	}, good)
}

// askReal runs the cases, then takes the daemon through stop, restart and
// pause: the checks that are up have to follow.
func askReal(t *testing.T, d *realserver.Daemon, cases []realCase, up ...Caller) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			leavesNothing(t)
			timeout := eventually.Limit
			if c.want == hangs {
				timeout = 2 * time.Second
			}
			askOnce(t, c.check, timeout, c.want)
		})
	}
	all := func(name string, timeout time.Duration, want string) {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			for _, check := range up {
				askOnce(t, check, timeout, want)
			}
		})
	}
	d.Stop()
	all("stopped", eventually.Limit, "connection refused")
	d.Start()
	all("restarted", eventually.Limit, "")
	d.Pause()
	all("paused", 300*time.Millisecond, "no answer in ") // less of it on a busy machine
	d.Continue()
	all("continued", eventually.Limit, "")
}

// hangs is the error of a query that goes on for longer than its check may.
const hangs = "query: no answer in "

// askOnce runs one check of a real daemon.
func askOnce(t *testing.T, check Caller, timeout time.Duration, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	begin := time.Now()
	_, err := check.Check(ctx)
	if want == "" && err != nil || !strings.Contains(errText(err), want) {
		t.Errorf("%v: error %v, want %q", check, err, want)
	}
	eventually.InTime(t, "a check of a real daemon", begin, timeout)
}
