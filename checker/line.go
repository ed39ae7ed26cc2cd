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

// maxTalk limits the bytes that a server may send in a conversation of lines: an
// endless banner ends here.
const maxTalk = 64 << 10

// errTooLong is the verdict on a server that exceeds maxTalk.
var errTooLong = errors.New("too long an answer")

// A lineDialogue is the common part of line protocols. It is a Dialogue that cuts
// received bytes into lines and passes each to the current state.
type lineDialogue struct {
	// ready begins the conversation, and continues it after a TLS handshake. It is
	// nil where the server sends first.
	ready func() Step
	// answer is the current state: it takes the next line without its end. The zero
	// Step waits for another line.
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
	// A line longer than the limit is never complete, however it arrives.
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
		// Plain text must not count as received under TLS (RFC 3207, section 6, and
		// CVE-2011-0411).
		return down("more than an answer to the request for TLS: %s", safetext.Excerpt(in[step.Consumed:]))
	case d.seen+len(in)-step.Consumed >= maxTalk:
		return Step{Done: true, Err: errTooLong}
	}
	return step
}

// cutLine returns the first line of in with its end, if it is complete.
func cutLine(in []byte) (line []byte, whole bool) {
	i := bytes.IndexByte(in, '\n')
	return in[:i+1], i >= 0
}

// trimLine returns line without its end, CR LF or LF alone.
func trimLine(line []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
}

// then appends next to s: both are sent, next decides.
func (s Step) then(next Step) Step {
	next.Consumed += s.Consumed
	next.Send = append(s.Send, next.Send...)
	return next
}

// sendLine is a Step that sends one line and waits for the answer.
func sendLine(line string) Step {
	return Step{Send: []byte(line + "\r\n")}
}

// up is the verdict on a real server that works. goodbye is the last line to send,
// "" is none.
func up(detail, goodbye string) Step {
	return Step{Done: true, Detail: detail}.farewell(goodbye)
}

// farewell appends a last line to s, "" is none; its answer does not matter.
func (s Step) farewell(line string) Step {
	if line != "" {
		s.Send = []byte(line + "\r\n")
	}
	return s
}

// down is the verdict on a real server that does not work.
func down(format string, args ...any) Step {
	return Step{Done: true, Err: fmt.Errorf(format, args...)}
}

// startTLS is a Step that begins a TLS handshake.
func startTLS(config *tls.Config) Step {
	return Step{StartTLS: config}
}

// hide returns line with the secrets in it masked: some servers repeat the request
// in an error.
func hide(line string, secrets ...secret.Text) string {
	for _, s := range secrets {
		if s != "" {
			line = strings.ReplaceAll(line, s.Reveal(), secret.Mask)
		}
	}
	return line
}

// isOneLine reports whether s fits into a line of a request without ending it.
func isOneLine(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }
