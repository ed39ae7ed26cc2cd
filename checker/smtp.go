package checker

import (
	"cmp"
	"crypto/tls"
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// heloName is what we call ourselves to mail servers. A check sends no mail,
// so that no server has a reason to look the name up.
const heloName = "localhost.localdomain"

// An SMTP check is up when the server greets and answers EHLO, or HELO if it
// does not know that, and with StartTLS answers once more under TLS.
type SMTP struct {
	Service  string // as it is shown: "smtp" or "submission", "" is smtp
	Addr     netip.AddrPort
	StartTLS *tls.Config // nil stays in the clear
}

// String implements Checker.
func (s SMTP) String() string {
	return cmp.Or(s.Service, "smtp") + " " + s.Addr.String()
}

// Target implements Talker.
func (s SMTP) Target() Target { return Target{Network: "tcp", Addr: s.Addr} }

// Dialogue implements Talker.
func (s SMTP) Dialogue() Dialogue {
	d := &smtpDialogue{tls: s.StartTLS, asked: "greeting"}
	d.reply = d.greeting
	d.lineDialogue.answer = d.line
	return d
}

type smtpDialogue struct {
	lineDialogue
	tls   *tls.Config
	asked string                       // what the next reply answers, for errors
	reply func(code, line string) Step // the state: it is given the last line of a reply
}

// line collects the lines of a reply (RFC 5321, section 4.2): all but the last
// have a hyphen behind the code.
func (d *smtpDialogue) line(line string) Step {
	code, rest := line[:min(3, len(line))], line[min(3, len(line)):]
	if !isSMTPCode(code) || rest != "" && rest[0] != ' ' && rest[0] != '-' {
		return down("%s: not an SMTP reply: %s", d.asked, safetext.Excerpt(line))
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

// ask sends a command whose reply is given to reply.
func (d *smtpDialogue) ask(verb, argument string, reply func(code, line string) Step) Step {
	d.asked, d.reply = verb, reply
	if argument != "" {
		verb += " " + argument
	}
	return say(verb)
}

// refused is the verdict after a reply that is not positive.
func (d *smtpDialogue) refused(line string) Step {
	return down("%s: %s", d.asked, safetext.Excerpt(line)).parting("QUIT")
}

func (d *smtpDialogue) greeting(code, line string) Step {
	if code[0] != '2' {
		return d.refused(line)
	}
	return d.ask("EHLO", heloName, d.ehlo)
}

func (d *smtpDialogue) ehlo(code, line string) Step {
	// 421 is that the server closes the connection (RFC 5321, section 3.8).
	if code == "421" {
		return d.refused(line)
	}
	if code[0] != '2' {
		return d.ask("HELO", heloName, d.hello)
	}
	return d.hello(code, line)
}

// hello is given the positive reply to EHLO, or the one to HELO.
func (d *smtpDialogue) hello(code, line string) Step {
	switch {
	case code[0] != '2':
		return d.refused(line)
	case d.tls != nil:
		return d.ask("STARTTLS", "", d.startTLS)
	}
	return up("", "QUIT")
}

func (d *smtpDialogue) startTLS(code, line string) Step {
	if code != "220" {
		return d.refused(line)
	}
	config := d.tls
	d.tls = nil
	d.ready = func() Step { return d.ask("EHLO", heloName, d.ehlo) }
	return startTLS(config)
}
