package notify

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A route is the way of a mail. Mails of one route can be grouped.
type route struct {
	server string // SMTP server, "" is the local mailer
	sender string // of the envelope: USER@HOSTNAME
	from   string // as in the header
	to     string // the recipients as written
}

// A letter is one mail.
type letter struct {
	route
	subject string
	body    string
}

// subjectOf is the subject of a mail about the event, "" for an event without a
// mail. The events with a mail are those of the original, but none that a real server has
// announced by its own answer.
func subjectOf(e event.Event) string {
	if e.Expected {
		return ""
	}
	switch e.Kind {
	case event.RealAdded, event.RealRestored, event.RealDeleted, event.RealQuiesced, event.RealPurged:
		return e.String()
	}
	return ""
}

// reminderOf is the subject of a reminder while a real server stays down.
func reminderOf(e event.Event) string {
	return fmt.Sprintf("Inaccessible real server: %s (%s)", e.R, e.V)
}

// An alert is one report about one virtual service.
type alert struct {
	subject string
	status  conf.Status // the daemon's state
	reason  string      // the request and the answer, "" is unknown
	name    string      // servicename, "" is none
	comment string
}

// heading is the alert's subject with its service's name.
func (a alert) heading() string {
	if a.name == "" {
		return a.subject
	}
	return "[" + a.name + "] " + a.subject
}

// paragraph is the administrator's text about the service.
func (a alert) paragraph() string {
	text := ""
	if a.name != "" {
		text += "Service name: " + a.name + "\n"
	}
	if a.comment != "" {
		text += "Comment: " + a.comment + "\n"
	}
	return text
}

// statusWords are the values of Daemon-Status.
var statusWords = map[conf.Status]string{
	conf.Starting: "starting", conf.Running: "running", conf.Stopping: "stopping", conf.Reloading: "reloading",
}

// compose makes one mail of the alerts of one route; omitted is the number of those
// beyond the limit.
func compose(r route, host string, alerts []alert, omitted int) letter {
	first := alerts[0]
	l := letter{route: r, subject: first.heading()}
	if n := len(alerts) + omitted; n > 1 {
		l.subject = fmt.Sprintf("%d events: %s and %d more", n, first.heading(), n-1)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ldirectord host: %s\n", host)
	for _, a := range alerts {
		fmt.Fprintf(&b, "Log-Message: %s\n", a.heading())
		if a.reason != "" {
			fmt.Fprintf(&b, "Reason: %s\n", safetext.Line(a.reason))
		}
	}
	if omitted > 0 {
		fmt.Fprintf(&b, "and %d more, see the log\n", omitted)
	}
	fmt.Fprintf(&b, "Daemon-Status: %s\n", statusWords[alerts[len(alerts)-1].status])
	said := map[string]bool{"": true}
	for _, a := range alerts {
		if text := a.paragraph(); !said[text] {
			said[text] = true
			b.WriteString("\n" + text)
		}
	}
	l.body = b.String()
	return l
}

// message is the text of the mail (RFC 5322): the original's headers, and the date
// and message id without which today's servers refuse or hide mail.
func (l letter) message(now time.Time, host string) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, safetext.Line(value)) }
	header("From", l.from)
	header("To", l.to)
	header("Subject", mime.QEncoding.Encode("utf-8", safetext.Line(l.subject)))
	header("Date", now.Format(time.RFC1123Z))
	header("Message-ID", fmt.Sprintf("<%s@%s>", rand.Text(), cmp.Or(host, "localhost")))
	body := strings.ReplaceAll(l.body, "\n", "\r\n")
	if isASCII(body) {
		b.WriteString("\r\n" + body)
		return b.Bytes()
	}
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(body)) // a Buffer never fails
	_ = w.Close()
	return b.Bytes()
}

// recipients are the addresses in a list: with names, or bare, or only a local
// user's name.
func recipients(list string) []string {
	if parsed, err := mail.ParseAddressList(list); err == nil {
		var addresses []string
		for _, a := range parsed {
			addresses = append(addresses, a.Address)
		}
		return addresses
	}
	return strings.FieldsFunc(safetext.Line(list), func(r rune) bool { return strings.ContainsRune(",; \t<>\"", r) })
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }) < 0
}
