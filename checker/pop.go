package checker

import (
	"crypto/tls"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A POP check is up when the server greets with +OK and, if there is a Login,
// lets it in and says what is in the mailbox.
type POP struct {
	Addr     netip.AddrPort
	Login    string // "" looks at the greeting only
	Passwd   secret.Text
	TLS      *tls.Config // pops: TLS from the start
	StartTLS *tls.Config // STLS after the greeting; nil does without
}

// String implements Checker.
func (p POP) String() string {
	service := "pop "
	if p.TLS != nil {
		service = "pops "
	}
	return service + p.Addr.String() + asLogin(p.Login)
}

// asLogin says as whom something is asked.
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
	d := &popDialogue{POP: p, asked: "greeting"}
	d.then = d.greeted
	d.lineDialogue.answer = d.status
	return d
}

type popDialogue struct {
	lineDialogue
	POP
	asked string      // what the next status answers, for errors
	then  func() Step // what follows a positive one
}

// ask sends a command; then follows if the answer is positive.
func (d *popDialogue) ask(verb, argument string, then func() Step) Step {
	d.asked, d.then = verb, then
	if argument != "" {
		verb += " " + argument
	}
	return say(verb)
}

// status is given the answer to a command (RFC 1939, section 3).
func (d *popDialogue) status(line string) Step {
	if status, _, _ := strings.Cut(line, " "); status != "+OK" {
		return down("%s: %s", d.asked, safetext.Excerpt(hide(line, d.Passwd))).parting("QUIT")
	}
	return d.then()
}

func (d *popDialogue) greeted() Step {
	if d.StartTLS == nil {
		return d.begin()
	}
	return d.ask("STLS", "", func() Step {
		d.ready = d.begin
		return startTLS(d.StartTLS)
	})
}

// begin is where the conversation proper starts, under TLS or not.
func (d *popDialogue) begin() Step {
	if d.Login == "" {
		return d.done()
	}
	if !isOneLine(d.Login) || !isOneLine(d.Passwd.Reveal()) {
		return down("login and passwd have to be one line each")
	}
	d.lineDialogue.answer = d.capabilities
	return d.ask("CAPA", "", nil)
}

// capabilities skips the answer to CAPA, which old servers do not know.
func (d *popDialogue) capabilities(line string) Step {
	if strings.HasPrefix(line, "+OK") || line != "." && !strings.HasPrefix(line, "-ERR") {
		return Step{}
	}
	d.lineDialogue.answer = d.status
	return d.ask("USER", d.Login, func() Step {
		return d.ask("PASS", d.Passwd.Reveal(), func() Step {
			return d.ask("STAT", "", d.done)
		})
	})
}

func (d *popDialogue) done() Step { return up("", "QUIT") }
