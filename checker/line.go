package checker

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// maxTalk is how many bytes a server may send in one conversation of lines
// before it has answered what was asked: a banner without end ends here.
const maxTalk = 64 << 10

// errTooLong is the verdict on a server that sends more than it may.
var errTooLong = errors.New("too long an answer")

// A lineDialogue is what protocols of lines share. It is a Dialogue that cuts
// what is received into lines and gives each to the state that waits for it.
type lineDialogue struct {
	// ready begins the conversation, and again what follows a TLS handshake.
	// It is nil where the server speaks first.
	ready func() Step
	// answer is the state: it is given the next line, without its end, and
	// says what comes of it. The zero Step waits for another line.
	answer func(line string) Step

	seen int // bytes of the lines so far
}

// Next implements Dialogue.
func (d *lineDialogue) Next(in []byte, _ bool) Step {
	var step Step
	if d.ready != nil {
		step = d.ready()
		d.ready = nil
	}
	// A line that the limit cuts is never whole, however it arrives.
	allowed := in[:min(len(in), maxTalk-d.seen)]
	for !step.Done && step.StartTLS == nil {
		line, whole := cutLine(allowed[step.Consumed:])
		if !whole {
			break
		}
		step = step.then(d.answer(trimLine(line)))
		step.Consumed += len(line)
	}
	d.seen += step.Consumed
	switch {
	case step.Done:
	case step.StartTLS != nil && step.Consumed < len(in):
		// What came in the clear must not count as said under TLS
		// (RFC 3207, section 6, and CVE-2011-0411).
		return down("more than an answer to the request for TLS: %s", safetext.Excerpt(in[step.Consumed:]))
	case d.seen+len(in)-step.Consumed >= maxTalk:
		return Step{Done: true, Err: errTooLong}
	}
	return step
}

// cutLine returns the first line of in with its end, if it is there.
func cutLine(in []byte) (line []byte, whole bool) {
	i := bytes.IndexByte(in, '\n')
	return in[:i+1], i >= 0
}

// trimLine returns line without its end, CR LF or LF alone.
func trimLine(line []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
}

// then is s followed by next: both are sent, next decides.
func (s Step) then(next Step) Step {
	next.Consumed += s.Consumed
	next.Send = append(s.Send, next.Send...)
	return next
}

// say is a Step that sends one line and waits for the answer.
func say(line string) Step {
	return Step{Send: []byte(line + "\r\n")}
}

// up is the verdict on a real server that works. goodbye is the last line that
// it is told, "" is none.
func up(detail, goodbye string) Step {
	return Step{Done: true, Detail: detail}.parting(goodbye)
}

// parting is s with a last line, "" is none, whose answer nobody waits for.
func (s Step) parting(line string) Step {
	if line != "" {
		s.Send = []byte(line + "\r\n")
	}
	return s
}

// down is the verdict on a real server that does not.
func down(format string, args ...any) Step {
	return Step{Done: true, Err: fmt.Errorf(format, args...)}
}

// startTLS is a Step that shakes hands for TLS.
func startTLS(config *tls.Config) Step {
	return Step{StartTLS: config}
}

// hide returns line with the secrets in it made unreadable: some servers
// repeat in an error what they were told.
func hide(line string, secrets ...secret.Text) string {
	for _, s := range secrets {
		if s != "" {
			line = strings.ReplaceAll(line, s.Reveal(), secret.Mask)
		}
	}
	return line
}

// isOneLine says that s can stand in a request of lines without ending it.
func isOneLine(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }
