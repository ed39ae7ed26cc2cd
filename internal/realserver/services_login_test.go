package realserver_test

import (
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// wrongPasswd lets nobody in.
const wrongPasswd = "no-such-secret"

// users are the directives for who may log in.
func users(login, passwd string) []string {
	return []string{`login="` + login + `"`, `passwd="` + passwd + `"`}
}

// with is lines and one more.
func with(lines []string, more ...string) []string {
	return append(lines[:len(lines):len(lines)], more...)
}

const (
	mailName = "mail.example.com"
	bad      = "wrong password"
)

// mail is smtp, submission, pop and imap, also with starttls, and pops and
// imaps.
func (s *site) mail(ca *realserver.Authority) {
	cert := ca.Server(mailName)
	starttls := []string{"starttls=yes", "sslverify=yes", "sslcafile=" + ca.File, "sslname=" + mailName}
	d := s.daemon(realserver.Postfix(s.t, cert))
	s.service("smtp", 25, d.Addr("smtp"), d.Addr("smtp6"))
	s.service("submission", 587, d.Addr("submission"), d.Addr("submission6"))
	s.up("smtp, STARTTLS", 25, d.Addr("smtp"), starttls...)
	s.up("submission, STARTTLS", 587, d.Addr("submission"), starttls...)
	s.down("smtp, greets nobody", `greeting: "554 5.7.1 `, d.Addr("refusing"), "service=smtp")
	s.down("submission, greets nobody", `greeting: "554 5.7.1 `, d.Addr("refusing"), "service=submission")
	s.down("smtp, an unknown authority", "certificate signed by unknown authority", d.Addr("smtp"), "service=smtp", "starttls=yes")
	s.down("smtp, another name", "not other.example.com", d.Addr("smtp"), with(starttls, "service=smtp", "sslname=other.example.com")...)

	d = s.daemon(realserver.Dovecot(s.t, cert))
	const plain = "# no TLS"
	user, wrong := users(realserver.MailUser, realserver.MailPasswd), users(realserver.MailUser, wrongPasswd)
	known := "sslcafile=" + ca.File
	for _, m := range []struct {
		name        string
		port        uint16
		tls, failed string
	}{
		{"pop", 110, plain, `PASS: "-ERR [AUTH] Authentication failed."`},
		{"imap", 143, plain, `NO [AUTHENTICATIONFAILED]`},
		{"pops", 995, known, `PASS: "-ERR [AUTH] Authentication failed."`},
		{"imaps", 993, known, `NO [AUTHENTICATIONFAILED]`},
	} {
		at := d.Addr(m.name)
		s.service(m.name, m.port, at, d.Addr(m.name+"6"), with(user, m.tls)...)
		s.up(m.name+" without login", m.port, at, m.tls)
		s.down(m.name+", "+bad, m.failed, at, with(wrong, m.tls, "service="+m.name)...)
		if m.tls == plain {
			s.up(m.name+", STARTTLS", m.port, at, with(user, starttls...)...)
			s.down(m.name+", STARTTLS, "+bad, m.failed, at, with(with(wrong, starttls...), "service="+m.name)...)
			continue
		}
		s.down(m.name+", an unknown authority", "certificate signed by unknown authority", at, "service="+m.name)
	}
	s.down("pop asks imap", `greeting: "* OK [CAPABILITY`, d.Addr("imap"), "service=pop")
	s.down("imap asks pop", `greeting: "+OK Dovecot`, d.Addr("pop"), "service=imap")
}

// directory is ldap, also with starttls, and ldaps.
func (s *site) directory(ca *realserver.Authority) {
	d := s.daemon(realserver.Slapd(s.t, ca.Server(mailName)))
	lines := with(users(realserver.SlapdUser, realserver.SlapdPasswd), `request="`+realserver.SlapdSuffix+`"`, `receive="^dc=example,"`)
	secure := []string{"sslverify=yes", "sslcafile=" + ca.File, "sslname=" + mailName}
	s.service("ldap", 389, d.Addr("ldap"), d.Addr("ldap6"), lines...)
	s.service("ldaps", 636, d.Addr("ldaps"), d.Addr("ldaps6"), with(lines, secure...)...)
	s.up("ldap, STARTTLS", 389, d.Addr("ldap"), with(with(lines, secure...), "starttls=yes")...)
	s.up("ldap, anonymous", 389, d.Addr("ldap"), `request="`+realserver.SlapdSuffix+`"`)
	s.up("ldaps, any certificate", 636, d.Addr("ldaps"), `request="`+realserver.SlapdSuffix+`"`)
	ldap := func(more ...string) []string { return with(lines, append(more, "service=ldap")...) }
	at := d.Addr("ldap")
	s.down("ldap, "+bad, "Invalid Credentials (49)", at, ldap(`passwd="`+wrongPasswd+`"`)...)
	s.down("ldap, no such entry", "No Such Object (32)", at, ldap(`request="cn=nobody,`+realserver.SlapdSuffix+`"`)...)
	s.down("ldap, another DN", `receive "dc=org" not found`, at, ldap(`receive="dc=org"`)...)
	s.down("ldaps, "+bad, "Invalid Credentials (49)", d.Addr("ldaps"), with(lines, "service=ldaps", `passwd="`+wrongPasswd+`"`)...)
	s.down("ldaps, an unknown authority", "certificate signed by unknown authority", d.Addr("ldaps"), with(lines, "service=ldaps", "sslverify=yes", "sslname="+mailName)...)
}

// fileServer is ftp.
func (s *site) fileServer() {
	d, d6 := s.daemon(realserver.Vsftpd(s.t)), s.daemon(realserver.Vsftpd6(s.t))
	lines := with(users(realserver.FTPUser, realserver.FTPPasswd), `request="index.html"`, `receive="^Welcome"`)
	at := d.Addr("ftp")
	s.service("ftp", 21, at, d6.Addr("ftp"), lines...)
	ftp := func(more ...string) []string { return with(lines, append(more, "service=ftp")...) }
	s.down("ftp, "+bad, "login as anonymous: 530 Login incorrect.", at, ftp(`passwd="`+wrongPasswd+`"`)...)
	s.down("ftp, another text", `receive "Willkommen" not found in 15 bytes`, at, ftp(`receive="Willkommen"`)...)
	s.down("ftp, no such file", "550 Failed to open file.", at, ftp(`request="missing"`)...)
}

// databases are mysql, pgsql and oracle.
func (s *site) databases() {
	lines := with(users(realserver.SQLUser, realserver.SQLPasswd),
		`database="`+realserver.SQLDatabase+`"`, `request="SELECT id FROM stock"`)
	for _, b := range []struct {
		name          string
		port          uint16
		daemon        *realserver.Daemon
		failed, sleep string
	}{
		{"mysql", 3306, realserver.MariaDB(s.t), "Access denied for user 'monitor'", "SLEEP"},
		{"pgsql", 5432, realserver.PostgreSQL(s.t), `password authentication failed for user "monitor"`, "pg_sleep"},
	} {
		d := s.daemon(b.daemon)
		at := d.Addr(b.name)
		s.service(b.name, b.port, at, d.Addr(b.name+"6"), lines...)
		ask := func(more ...string) []string { return with(lines, append(more, "service="+b.name)...) }
		s.down(b.name+", "+bad, b.failed, at, ask(`passwd="`+wrongPasswd+`"`)...)
		s.down(b.name+", no rows", "the query returned no rows", at, ask(`request="SELECT id FROM sold"`)...)
		s.down(b.name+", no such table", "query: ", at, ask(`request="SELECT 1 FROM nothing"`)...)
		s.down(b.name+", a query that hangs", "query: no answer in ", at, ask(`request="SELECT `+b.sleep+`(100)"`)...)
		s.down(b.name+" without login", "must specify a login and request string", at, "service="+b.name)
	}
	// There is no Oracle to be had: a listener that knows none of its databases.
	at := oracleListener(s.t)
	s.down("oracle", "login as monitor: ORA-12505", at, with(lines, "service=oracle")...)
	s.down("oracle, nobody there", "connection refused", lab.HoldPort(s.t), with(lines, "service=oracle")...)
}

// radius is radius.
func (s *site) radius() {
	d := s.daemon(realserver.FreeRADIUS(s.t))
	lines := with(users(realserver.RadiusUser, realserver.RadiusPasswd), "protocol=udp", `secret="`+realserver.RadiusSecret+`"`)
	at := d.Addr("radius")
	s.service("radius", 1812, at, d.Addr("radius6"), lines...)
	s.down("radius, "+bad, "answered Access-Reject", at, with(lines, "service=radius", `passwd="`+wrongPasswd+`"`)...)
	s.down("radius, wrong secret", "no answer in 4s", at, with(lines, "service=radius", `secret="`+wrongPasswd+`"`)...)
}

// stores are redis and memcached.
func (s *site) stores() {
	d := s.daemon(realserver.Redis(s.t, true))
	lines := users(realserver.RedisUser, realserver.RedisPasswd)
	s.service("redis", 0, d.Addr("redis"), d.Addr("redis6"), lines...)
	s.down("redis, "+bad, `AUTH: "-WRONGPASS `, d.Addr("redis"), with(users(realserver.RedisUser, wrongPasswd), "service=redis")...)
	s.down("redis, no password", `PING: "-NOAUTH `, d.Addr("redis"), "service=redis")

	d = s.daemon(realserver.Memcached(s.t))
	s.service("memcached", 0, d.Addr("memcached"), d.Addr("memcached6"))
	s.down("memcached asked for redis", `PING: "ERROR"`, d.Addr("memcached"), "service=redis")
}
