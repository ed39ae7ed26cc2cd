package checker

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// An IMAP check is up when the server greets and, if there is a Login, lets it
// in.
type IMAP struct {
	Addr     netip.AddrPort
	Login    string // "" looks at the greeting only
	Passwd   secret.Text
	TLS      *tls.Config // imaps: TLS from the start
	StartTLS *tls.Config // STARTTLS after the greeting; nil does without
}

// String implements Checker.
func (i IMAP) String() string {
	service := "imap "
	if i.TLS != nil {
		service = "imaps "
	}
	return service + i.Addr.String() + asLogin(i.Login)
}

// Target implements Talker.
func (i IMAP) Target() Target { return Target{Network: "tcp", Addr: i.Addr, TLS: i.TLS} }

// Dialogue implements Talker.
func (i IMAP) Dialogue() Dialogue {
	d := &imapDialogue{IMAP: i}
	d.answer = d.greeting
	return d
}

type imapDialogue struct {
	lineDialogue
	IMAP
	tags int // of commands so far
}

func (d *imapDialogue) greeting(line string) Step {
	switch imapWord(line, "* ") {
	case "OK":
	case "PREAUTH": // logged in already by other means, and TLS is refused then
		return d.done()
	default:
		return down("greeting: %s", safetext.Excerpt(line))
	}
	if d.StartTLS == nil {
		return d.begin()
	}
	return d.ask("STARTTLS", []string{"STARTTLS"}, func() Step {
		d.ready = d.begin
		return startTLS(d.StartTLS)
	})
}

// begin is where the conversation proper starts, under TLS or not.
func (d *imapDialogue) begin() Step {
	if d.Login == "" {
		return d.done()
	}
	login := newIMAPCommand("LOGIN")
	login.astring(d.Login, isIMAPAtom(d.Login))
	login.astring(d.Passwd.Reveal(), false)
	return d.ask("LOGIN", login.parts, d.done)
}

// done says goodbye.
func (d *imapDialogue) done() Step { return up("", d.tag()+" LOGOUT") }

// tag returns the next command's tag.
func (d *imapDialogue) tag() string {
	d.tags++
	return fmt.Sprintf("a%d", d.tags)
}

// ask sends a command whose further parts the server has to ask for; then
// follows if the answer is OK.
func (d *imapDialogue) ask(verb string, parts []string, then func() Step) Step {
	tag := d.tag()
	rest := parts[1:]
	d.answer = func(line string) Step {
		switch {
		case strings.HasPrefix(line, "+") && len(rest) > 0:
			part := rest[0]
			rest = rest[1:]
			return say(part)
		case imapWord(line, tag+" ") == "OK":
			return then()
		case strings.HasPrefix(line, "* ") && imapWord(line, "* ") != "BYE":
			return Step{} // news of the server's own accord
		}
		return down("%s: %s", verb, safetext.Excerpt(hide(line, d.Passwd))).parting(d.tag() + " LOGOUT")
	}
	return say(tag + " " + parts[0])
}

// imapWord returns the word behind prefix in capitals, "" if line begins
// otherwise.
func imapWord(line, prefix string) string {
	rest, ok := strings.CutPrefix(line, prefix)
	if !ok {
		return ""
	}
	word, _, _ := strings.Cut(rest, " ")
	return strings.ToUpper(word)
}

// An imapCommand is a command in the making. It has more than one part if it
// has literals, for which the server has to say that it is ready.
type imapCommand struct{ parts []string }

func newIMAPCommand(verb string) *imapCommand { return &imapCommand{[]string{verb}} }

// astring appends a string: as it is if bare, else in quotes, or as a literal
// if it holds what cannot stand in quotes (RFC 3501, section 4.3).
func (c *imapCommand) astring(s string, bare bool) {
	last := &c.parts[len(c.parts)-1]
	switch {
	case bare:
		*last += " " + s
	case strings.ContainsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' || r == 0 || r >= 0x80 }):
		*last += fmt.Sprintf(" {%d}", len(s))
		c.parts = append(c.parts, s)
	default:
		*last += ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
}

// isIMAPAtom says that s can stand without quotes.
func isIMAPAtom(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
	})
}
