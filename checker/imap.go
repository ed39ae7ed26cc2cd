package checker

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// An IMAP check is up when the server sends its greeting and, if Login is set,
// accepts the login.
type IMAP struct {
	Addr     netip.AddrPort
	Login    string // "" checks only the greeting
	Passwd   secret.Text
	TLS      *tls.Config // imaps: TLS from the first byte
	StartTLS *tls.Config // STARTTLS after the greeting; nil stays in plain text
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
	tags int // number of commands so far
}

func (d *imapDialogue) greeting(line string) Step {
	switch imapWord(line, "* ") {
	case "OK":
	case "PREAUTH": // logged in already by other means, which excludes TLS
		return d.done()
	default:
		return down("greeting: %s", safetext.Excerpt(line))
	}
	if d.StartTLS == nil {
		return d.begin()
	}
	return d.send("STARTTLS", []string{"STARTTLS"}, func() Step {
		d.ready = d.begin
		return startTLS(d.StartTLS)
	})
}

// begin starts the login, under TLS or not.
func (d *imapDialogue) begin() Step {
	if d.Login == "" {
		return d.done()
	}
	login := newIMAPCommand("LOGIN")
	login.astring(d.Login, isIMAPAtom(d.Login))
	login.astring(d.Passwd.Reveal(), false)
	return d.send("LOGIN", login.parts, d.done)
}

// done ends the session.
func (d *imapDialogue) done() Step { return up("", d.tag()+" LOGOUT") }

// tag returns the next command's tag.
func (d *imapDialogue) tag() string {
	d.tags++
	return fmt.Sprintf("a%d", d.tags)
}

// send sends a command in parts; the server requests each further part. then runs if
// the answer is OK.
func (d *imapDialogue) send(verb string, parts []string, then func() Step) Step {
	tag := d.tag()
	rest := parts[1:]
	d.answer = func(line string) Step {
		switch {
		case strings.HasPrefix(line, "+") && len(rest) > 0:
			part := rest[0]
			rest = rest[1:]
			return sendLine(part)
		case imapWord(line, tag+" ") == "OK":
			return then()
		case strings.HasPrefix(line, "* ") && imapWord(line, "* ") != "BYE":
			return Step{} // an unsolicited message
		}
		return down("%s: %s", verb, safetext.Excerpt(hide(line, d.Passwd))).farewell(d.tag() + " LOGOUT")
	}
	return sendLine(tag + " " + parts[0])
}

// imapWord returns the word behind prefix in upper case, "" if line has another
// prefix.
func imapWord(line, prefix string) string {
	rest, ok := strings.CutPrefix(line, prefix)
	if !ok {
		return ""
	}
	word, _, _ := strings.Cut(rest, " ")
	return strings.ToUpper(word)
}

// An imapCommand is a command under construction. It has more than one part if it
// has literals, each of which waits for the server's go-ahead.
type imapCommand struct{ parts []string }

func newIMAPCommand(verb string) *imapCommand { return &imapCommand{[]string{verb}} }

// astring appends a string: unchanged if bare, else in quotes, or as a literal if
// quotes cannot hold it (RFC 3501, section 4.3).
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

// isIMAPAtom reports whether s needs no quotes.
func isIMAPAtom(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
	})
}
