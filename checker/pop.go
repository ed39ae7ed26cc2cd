package checker

import (
	"crypto/tls"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A POP check is up when the server greets with +OK and, if Login is set, accepts
// the login and reports the state of the mailbox.
type POP struct {
	Addr     netip.AddrPort
	Login    string // "" checks only the greeting
	Passwd   secret.Text
	TLS      *tls.Config // pops: TLS from the first byte
	StartTLS *tls.Config // STLS after the greeting; nil stays in plain text
}

// String implements Checker.
func (p POP) String() string {
	service := "pop "
	if p.TLS != nil {
		service = "pops "
	}
	return service + p.Addr.String() + asLogin(p.Login)
}

// asLogin names the user of a check.
func asLogin(login string) string {
	if login == "" {
		return ""
	}
	return " as " + login
}

// Target implements Talker.
func (p POP) Target() Target { return Target{Network: "tcp", Addr: p.Addr, TLS: p.TLS} }

// Dialogue implements Talker.
func (p POP) Dialogue() Dialogue {
	d := &popDialogue{POP: p, sent: "greeting"}
	d.then = d.greeted
	d.lineDialogue.answer = d.status
	return d
}

type popDialogue struct {
	lineDialogue
	POP
	sent string      // the command of the next status, for errors
	then func() Step // runs after a positive one
}

// send sends a command; then runs if the answer is positive.
func (d *popDialogue) send(verb, argument string, then func() Step) Step {
	d.sent, d.then = verb, then
	if argument != "" {
		verb += " " + argument
	}
	return sendLine(verb)
}

// status processes the answer to a command (RFC 1939, section 3).
func (d *popDialogue) status(line string) Step {
	if status, _, _ := strings.Cut(line, " "); status != "+OK" {
		return down("%s: %s", d.sent, safetext.Excerpt(hide(line, d.Passwd))).farewell("QUIT")
	}
	return d.then()
}

func (d *popDialogue) greeted() Step {
	if d.StartTLS == nil {
		return d.begin()
	}
	return d.send("STLS", "", func() Step {
		d.ready = d.begin
		return startTLS(d.StartTLS)
	})
}

// begin starts the login, under TLS or not.
func (d *popDialogue) begin() Step {
	if d.Login == "" {
		return d.done()
	}
	if !isOneLine(d.Login) || !isOneLine(d.Passwd.Reveal()) {
		return down("login and passwd have to be one line each")
	}
	d.lineDialogue.answer = d.capabilities
	return d.send("CAPA", "", nil)
}

// capabilities skips the answer to CAPA, which old servers do not know.
func (d *popDialogue) capabilities(line string) Step {
	if strings.HasPrefix(line, "+OK") || line != "." && !strings.HasPrefix(line, "-ERR") {
		return Step{}
	}
	d.lineDialogue.answer = d.status
	return d.send("USER", d.Login, func() Step {
		return d.send("PASS", d.Passwd.Reveal(), func() Step {
			return d.send("STAT", "", d.done)
		})
	})
}

func (d *popDialogue) done() Step { return up("", "QUIT") }
