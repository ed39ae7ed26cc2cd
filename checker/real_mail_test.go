package checker_test

import (
	"crypto/tls"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

const mailName = "mail.example.com"

// TestRealSMTP checks Postfix.
func TestRealSMTP(t *testing.T) {
	ca := realserver.NewAuthority(t)
	d := realserver.Postfix(t, ca.Server(mailName))
	smtp := checker.SMTP{Addr: d.Addr("smtp")}
	submission := checker.SMTP{Service: "submission", Addr: d.Addr("submission"), StartTLS: trusting(ca, mailName)}
	talkReal(t, []realTalk{
		{name: "greets nobody", check: checker.SMTP{Addr: d.Addr("refusing")}, err: `greeting: "554 5.7.1 `},
		{
			name: "STARTTLS, an unknown authority", err: "certificate signed by unknown authority",
			check: checker.SMTP{Addr: d.Addr("smtp"), StartTLS: &tls.Config{ServerName: mailName}},
		},
		{
			name: "STARTTLS, another name", err: "certificate is valid for mail.example.com, not other.example.com",
			check: checker.SMTP{Addr: d.Addr("smtp"), StartTLS: trusting(ca, "other.example.com")},
		},
		{name: "checked as pop", check: checker.POP{Addr: d.Addr("smtp")}, err: `greeting: "220 mail.example.com ESMTP`},
	})
	outage(t, d, smtp, submission)
}

// TestRealPOP checks Dovecot.
func TestRealPOP(t *testing.T) {
	ca := realserver.NewAuthority(t)
	d := realserver.Dovecot(t, ca.Server(mailName))
	config := trusting(ca, mailName)
	plain := checker.POP{Addr: d.Addr("pop"), Login: realserver.MailUser, Passwd: realserver.MailPasswd}
	secure := checker.POP{Addr: d.Addr("pops"), Login: realserver.MailUser, Passwd: realserver.MailPasswd, TLS: config}
	upgraded := plain
	upgraded.StartTLS = config
	wrong := plain
	wrong.Passwd = "wrong"
	nobody := secure
	nobody.Login = "nobody"
	talkReal(t, []realTalk{
		{name: "wrong password", check: wrong, err: `PASS: "-ERR [AUTH] Authentication failed."`},
		{name: "unknown user", check: nobody, err: `PASS: "-ERR [AUTH] Authentication failed."`},
		{name: "an unknown authority", check: checker.POP{Addr: d.Addr("pops"), TLS: &tls.Config{}}, err: "TLS"},
		{name: "TLS to the plain port", check: checker.POP{Addr: d.Addr("pop"), TLS: config}, err: "TLS"},
		{name: "checked as imap", check: checker.IMAP{Addr: d.Addr("pop")}, err: `greeting: "+OK Dovecot`},
	})
	outage(t, d,
		plain, secure, upgraded,
		checker.POP{Addr: d.Addr("pop")},
		checker.POP{Addr: d.Addr("pops"), TLS: config},
		checker.POP{Addr: d.Addr("pop"), StartTLS: config})
}

// TestRealIMAP checks Dovecot.
func TestRealIMAP(t *testing.T) {
	ca := realserver.NewAuthority(t)
	d := realserver.Dovecot(t, ca.Server(mailName))
	config := trusting(ca, mailName)
	plain := checker.IMAP{Addr: d.Addr("imap"), Login: realserver.MailUser, Passwd: realserver.MailPasswd}
	secure := checker.IMAP{Addr: d.Addr("imaps"), Login: realserver.MailUser, Passwd: realserver.MailPasswd, TLS: config}
	upgraded := plain
	upgraded.StartTLS = config
	wrong := plain
	wrong.Passwd = "wrong"
	literal := plain
	literal.Passwd = "falsches Paßwort"
	talkReal(t, []realTalk{
		{name: "wrong password", check: wrong, err: `LOGIN: "a1 NO [AUTHENTICATIONFAILED]`},
		{name: "wrong password in a literal", check: literal, err: `LOGIN: "a1 NO [AUTHENTICATIONFAILED]`},
		{name: "another name", check: checker.IMAP{Addr: d.Addr("imaps"), TLS: trusting(ca, "other.example.com")}, err: "not other.example.com"},
		{name: "checked as pop", check: checker.POP{Addr: d.Addr("imap")}, err: `greeting: "* OK [CAPABILITY`},
	})
	outage(t, d,
		plain, secure, upgraded,
		checker.IMAP{Addr: d.Addr("imap")},
		checker.IMAP{Addr: d.Addr("imaps"), TLS: config},
		checker.IMAP{Addr: d.Addr("imap"), StartTLS: config})
}
