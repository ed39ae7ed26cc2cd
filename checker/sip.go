package checker

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// sipResend is the time after which an unanswered OPTIONS over udp is sent again:
// T1 of RFC 3261, section 17.1.2.2, without its doubling, since a check is short.
const sipResend = 500 * time.Millisecond

// A SIP check is up when the answer to OPTIONS is 200.
type SIP struct {
	Network string // "udp" or "tcp"
	Addr    netip.AddrPort
	Login   string // sender and addressee of the request, "user@host"
}

// String implements Checker.
func (s SIP) String() string {
	return "sip OPTIONS sip:" + s.Login + " at " + s.Addr.String() + " (" + s.Network + ")"
}

// Target implements Talker.
func (s SIP) Target() Target {
	target := Target{Network: s.Network, Addr: s.Addr}
	if s.Network == "udp" {
		target.Resend = sipResend
	}
	return target
}

// Dialogue implements Talker.
func (s SIP) Dialogue() Dialogue { return &sipDialogue{SIP: s, callID: rand.Text()} }

type sipDialogue struct {
	SIP
	callID string
	local  netip.AddrPort // the local address, invalid if unknown
	sent   bool
	seen   int // bytes of provisional answers so far
}

// Next implements Dialogue.
func (d *sipDialogue) Next(in []byte, eof bool) Step {
	if !d.sent {
		d.sent = true
		return d.send()
	}
	if d.Network == "udp" {
		return d.datagram(in)
	}
	return d.stream(in, eof)
}

// At implements Located.
func (d *sipDialogue) At(local netip.AddrPort) { d.local = local }

// sentBy is the local address in the notation of a Via header. Servers without
// rport (RFC 3581) answer to this port over udp, to 5060 if it is missing (RFC
// 3261, section 18.2.2).
func (d *sipDialogue) sentBy() string {
	if !d.local.IsValid() {
		return "localhost.localdomain"
	}
	return netip.AddrPortFrom(d.local.Addr().Unmap().WithZone(""), d.local.Port()).String()
}

// send sends the request.
func (d *sipDialogue) send() Step {
	if !isOneLine(d.Login) || strings.ContainsAny(d.Login, " \t<>") {
		return down("login %s is no address", safetext.Excerpt(d.Login))
	}
	return Step{Send: fmt.Appendf(nil, "OPTIONS sip:%[1]s SIP/2.0\r\n"+
		"Via: SIP/2.0/%[2]s %[4]s;branch=z9hG4bK%[3]s;rport\r\n"+
		"Max-Forwards: 70\r\n"+
		"To: <sip:%[1]s>\r\n"+
		"From: <sip:%[1]s>;tag=%[3]s\r\n"+
		"Call-ID: %[3]s\r\n"+
		"CSeq: 1 OPTIONS\r\n"+
		"Contact: <sip:%[1]s>\r\n"+
		"Accept: application/sdp\r\n"+
		"Content-Length: 0\r\n\r\n",
		d.Login, strings.ToUpper(d.Network), d.callID, d.sentBy())}
}

// datagram processes one whole message.
func (d *sipDialogue) datagram(in []byte) Step {
	head, _, _ := bytes.Cut(in, []byte("\r\n\r\n"))
	if id := sipHeader(head, "Call-ID", "i"); id != "" && id != d.callID {
		return Step{} // a late answer to an earlier check
	}
	step, _ := sipStatus(head)
	return step
}

// stream processes all received bytes. The status line is enough for a verdict;
// only the body of a provisional answer has to be skipped.
func (d *sipDialogue) stream(in []byte, eof bool) Step {
	skipped := 0
	for {
		// An empty line before a message is ignored (RFC 3261, section 7.5).
		message := bytes.TrimLeft(in[skipped:], "\r\n")
		_, whole := cutLine(message)
		if !whole && (!eof || len(message) == 0) {
			break
		}
		step, provisional := sipStatus(message)
		if !provisional {
			return step
		}
		length, whole := sipLength(message)
		if !whole {
			break
		}
		skipped = len(in) - len(message) + length
	}
	d.seen += skipped
	if d.seen+len(in)-skipped > maxTalk {
		return Step{Done: true, Err: errTooLong}
	}
	return Step{Consumed: skipped}
}

// sipStatus is the verdict on a message that begins with head. A provisional answer
// (1xx) is no verdict.
func sipStatus(head []byte) (step Step, provisional bool) {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	line := trimLine(first)
	status, ok := strings.CutPrefix(line, "SIP/2.0 ")
	switch {
	case !ok:
		return down("not a SIP answer: %s", safetext.Excerpt(line)), false
	case strings.HasPrefix(status, "200"):
		return up("", ""), false
	case strings.HasPrefix(status, "1"):
		return Step{}, true
	}
	return down("answered %s", safetext.Excerpt(status)), false
}

// sipLength returns the length of the first message in in, if its headers and body
// are complete.
func sipLength(in []byte) (length int, whole bool) {
	head, _, ok := bytes.Cut(in, []byte("\r\n\r\n"))
	if !ok {
		return 0, false
	}
	body, err := strconv.ParseUint(sipHeader(head, "Content-Length", "l"), 10, 16)
	if err != nil {
		body = 0
	}
	length = len(head) + len("\r\n\r\n") + int(body)
	return length, length <= len(in)
}

// sipHeader returns the value of a header by its name or short form, "" if it is
// missing.
func sipHeader(head []byte, name, short string) string {
	for line := range strings.SplitSeq(string(head), "\r\n") {
		key, value, ok := strings.Cut(line, ":")
		key = strings.TrimSpace(key)
		if ok && (strings.EqualFold(key, name) || strings.EqualFold(key, short)) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
