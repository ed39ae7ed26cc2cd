package checker

import (
	"cmp"
	"crypto/tls"
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// heloName is our name for mail servers. A check sends no mail, so servers have no
// reason to resolve the name.
const heloName = "localhost.localdomain"

// An SMTP check is up when the server sends its greeting and accepts EHLO, or HELO
// if it does not know EHLO; with StartTLS it must accept EHLO again under TLS.
type SMTP struct {
	Service  string // for messages: "smtp" or "submission", "" is smtp
	Addr     netip.AddrPort
	StartTLS *tls.Config // nil stays in plain text
}

// String implements Checker.
func (s SMTP) String() string {
	return cmp.Or(s.Service, "smtp") + " " + s.Addr.String()
}

// Target implements Talker.
func (s SMTP) Target() Target { return Target{Network: "tcp", Addr: s.Addr} }

// Dialogue implements Talker.
func (s SMTP) Dialogue() Dialogue {
	d := &smtpDialogue{tls: s.StartTLS, sent: "greeting"}
	d.reply = d.greeting
	d.lineDialogue.answer = d.line
	return d
}

type smtpDialogue struct {
	lineDialogue
	tls   *tls.Config
	sent  string                       // the command of the next reply, for errors
	reply func(code, line string) Step // the current state: it takes the last line of a reply
}

// line collects the lines of a reply (RFC 5321, section 4.2): all but the last have
// a hyphen behind the code.
func (d *smtpDialogue) line(line string) Step {
	code, rest := line[:min(3, len(line))], line[min(3, len(line)):]
	if !isSMTPCode(code) || rest != "" && rest[0] != ' ' && rest[0] != '-' {
		return down("%s: not an SMTP reply: %s", d.sent, safetext.Excerpt(line))
	}
	if rest != "" && rest[0] == '-' {
		return Step{}
	}
	return d.reply(code, line)
}

func isSMTPCode(code string) bool {
	return len(code) == 3 && '2' <= code[0] && code[0] <= '5' &&
		'0' <= code[1] && code[1] <= '9' && '0' <= code[2] && code[2] <= '9'
}

// send sends a command whose reply goes to reply.
func (d *smtpDialogue) send(verb, argument string, reply func(code, line string) Step) Step {
	d.sent, d.reply = verb, reply
	if argument != "" {
		verb += " " + argument
	}
	return sendLine(verb)
}

// refused is the verdict after a negative reply.
func (d *smtpDialogue) refused(line string) Step {
	return down("%s: %s", d.sent, safetext.Excerpt(line)).farewell("QUIT")
}

func (d *smtpDialogue) greeting(code, line string) Step {
	if code[0] != '2' {
		return d.refused(line)
	}
	return d.send("EHLO", heloName, d.ehlo)
}

func (d *smtpDialogue) ehlo(code, line string) Step {
	// 421 announces that the server closes the connection (RFC 5321, section 3.8).
	if code == "421" {
		return d.refused(line)
	}
	if code[0] != '2' {
		return d.send("HELO", heloName, d.hello)
	}
	return d.hello(code, line)
}

// hello processes the positive reply to EHLO, or the reply to HELO.
func (d *smtpDialogue) hello(code, line string) Step {
	switch {
	case code[0] != '2':
		return d.refused(line)
	case d.tls != nil:
		return d.send("STARTTLS", "", d.startTLS)
	}
	return up("", "QUIT")
}

func (d *smtpDialogue) startTLS(code, line string) Step {
	if code != "220" {
		return d.refused(line)
	}
	config := d.tls
	d.tls = nil
	d.ready = func() Step { return d.send("EHLO", heloName, d.ehlo) }
	return startTLS(config)
}
