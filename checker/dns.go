package checker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// dnsResend is how long a question over udp may be without an answer until it
// is asked again.
const dnsResend = time.Second

// maxStrayAnswers is how many answers to other questions are passed over on
// one tcp connection.
const maxStrayAnswers = 16

// A DNS check is up when the answer to Request has an A, AAAA or PTR record
// that matches Receive.
//
// A name is asked for its A records, and for AAAA if there is no A or Receive
// holds a colon; an address is asked for its PTR.
type DNS struct {
	Network string // "udp" or "tcp"
	Addr    netip.AddrPort
	Request string          // a name or an address; the "/" that the configuration puts first is dropped
	Receive *perlre.Pattern // nil and the empty one match nothing, as in the original
}

// String implements Checker.
func (d DNS) String() string {
	return "dns " + d.subject() + " at " + d.Addr.String() + " (" + d.Network + ")"
}

// subject is what is asked about.
func (d DNS) subject() string { return strings.TrimPrefix(d.Request, "/") }

// Target implements Talker.
func (d DNS) Target() Target {
	target := Target{Network: d.Network, Addr: d.Addr, Slow: d.Receive.Slow()}
	if d.Network == "udp" {
		target.Resend = dnsResend
	}
	return target
}

// Dialogue implements Talker.
func (d DNS) Dialogue() Dialogue { return &dnsDialogue{DNS: d, id: uint16(rand.Uint32())} }

type dnsDialogue struct {
	DNS
	id       uint16              // of the question that was asked last
	question dnsmessage.Question // the zero one: nothing was asked yet
	stray    int                 // answers to other questions so far
}

// Next implements Dialogue.
func (d *dnsDialogue) Next(in []byte, _ bool) Step {
	if d.question == (dnsmessage.Question{}) {
		question, err := dnsQuestion(d.subject())
		if err != nil {
			return Step{Done: true, Err: err}
		}
		return d.ask(question)
	}
	if d.Network == "udp" {
		return d.answer(in)
	}
	var step Step
	for !step.Done && step.Send == nil {
		message, size := dnsFromStream(in[step.Consumed:])
		if size == 0 {
			break
		}
		consumed := step.Consumed + size
		step = d.answer(message)
		step.Consumed = consumed
	}
	return step
}

// dnsQuestion is what subject, a name or an address, is asked first.
func dnsQuestion(subject string) (dnsmessage.Question, error) {
	kind := dnsmessage.TypeA
	name := subject
	if addr, err := netip.ParseAddr(subject); err == nil {
		kind, name = dnsmessage.TypePTR, reverseName(addr)
	}
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	packed, err := dnsmessage.NewName(name)
	question := dnsmessage.Question{Name: packed, Type: kind, Class: dnsmessage.ClassINET}
	if err == nil {
		_, err = packDNS(0, question)
	}
	if err != nil {
		return dnsmessage.Question{}, fmt.Errorf("request %s is no name", safetext.Excerpt(subject))
	}
	return question, nil
}

// reverseName is where the PTR record of addr stands.
func reverseName(addr netip.Addr) string {
	var b strings.Builder
	if addr = addr.Unmap(); addr.Is4() {
		for _, octet := range backwards(addr.AsSlice()) {
			fmt.Fprintf(&b, "%d.", octet)
		}
		return b.String() + "in-addr.arpa."
	}
	for _, octet := range backwards(addr.AsSlice()) {
		fmt.Fprintf(&b, "%x.%x.", octet&15, octet>>4)
	}
	return b.String() + "ip6.arpa."
}

func backwards(b []byte) []byte {
	turned := make([]byte, len(b))
	for i := range b {
		turned[len(b)-1-i] = b[i]
	}
	return turned
}

// ask sends a question under an id of its own, so that a repeated answer to the
// one before is not taken for its answer.
func (d *dnsDialogue) ask(question dnsmessage.Question) Step {
	d.id++
	d.question = question
	message, err := packDNS(d.id, question)
	if err != nil {
		return Step{Done: true, Err: err}
	}
	if d.Network == "udp" {
		return Step{Send: message}
	}
	length := binary.BigEndian.AppendUint16(nil, uint16(len(message)))
	return Step{Send: append(length, message...)}
}

func packDNS(id uint16, question dnsmessage.Question) ([]byte, error) {
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{question},
	}
	return message.Pack()
}

// dnsFromStream returns the first message of a tcp stream and its size there,
// 0 if it is not whole yet.
func dnsFromStream(in []byte) (message []byte, size int) {
	if len(in) < 2 {
		return nil, 0
	}
	size = 2 + int(binary.BigEndian.Uint16(in))
	if len(in) < size {
		return nil, 0
	}
	return in[2:size], size
}

// answer is given one message.
func (d *dnsDialogue) answer(message []byte) Step {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || !header.Response {
		return down("not a DNS answer: %s", safetext.Excerpt(message))
	}
	if header.ID != d.id || !d.isAsked(&p, header) {
		d.stray++
		if d.Network != "udp" && d.stray > maxStrayAnswers {
			return down("answers to %d questions that nobody asked", d.stray)
		}
		return Step{}
	}
	if header.RCode != dnsmessage.RCodeSuccess {
		return down("%s: %s", d.kind(), dnsCode(header.RCode))
	}
	records, err := dnsRecords(&p)
	if err != nil && !header.Truncated {
		return down("%s: broken answer: %w", d.kind(), err)
	}
	return d.verdict(records, header.Truncated)
}

// isAsked says that the answer's question is ours. Names may come back in
// other letters, and with an error the question may be missing.
func (d *dnsDialogue) isAsked(p *dnsmessage.Parser, header dnsmessage.Header) bool {
	question, err := p.Question()
	if err != nil {
		return header.RCode != dnsmessage.RCodeSuccess
	}
	return question.Type == d.question.Type && question.Class == d.question.Class &&
		strings.EqualFold(question.Name.String(), d.question.Name.String()) &&
		p.SkipAllQuestions() == nil
}

// verdict looks for a record that matches, and says what to do without one.
func (d *dnsDialogue) verdict(records []string, truncated bool) Step {
	asksNothing := d.Receive == nil || d.Receive.String() == ""
	for _, record := range records {
		if asksNothing {
			break
		}
		matched, err := d.Receive.Match([]byte(record))
		if err != nil {
			return Step{Done: true, Err: err}
		}
		if matched {
			return up(d.kind()+" "+record, "")
		}
	}
	switch {
	case truncated && d.Network == "udp":
		whole := d.DNS
		whole.Network = "tcp"
		return Step{Follow: whole}
	case len(records) > 0 && asksNothing:
		return down("%s: receive is empty, which no record matches", d.kind())
	case d.question.Type == dnsmessage.TypeA && !asksNothing &&
		(len(records) == 0 || strings.Contains(d.Receive.String(), ":")):
		question := d.question
		question.Type = dnsmessage.TypeAAAA
		return d.ask(question)
	case len(records) == 0:
		return down("%s: no such record", d.kind())
	}
	return down("%s: receive %s does not match %s", d.kind(), safetext.Excerpt(d.Receive.String()), safetext.Excerpt(strings.Join(records, " ")))
}

// kind names what was asked for: "A", "AAAA" or "PTR".
func (d *dnsDialogue) kind() string { return strings.TrimPrefix(d.question.Type.String(), "Type") }

// dnsRecords returns the values of the A, AAAA and PTR records of an answer,
// also those before an error.
func dnsRecords(p *dnsmessage.Parser) (values []string, err error) {
	for {
		header, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		value, err := dnsValue(p, header)
		if err != nil {
			return values, err
		}
		if value != "" {
			values = append(values, value)
		}
	}
}

// dnsValue takes the next record and returns what receive is matched against,
// "" if that is not looked at.
func dnsValue(p *dnsmessage.Parser, header dnsmessage.ResourceHeader) (string, error) {
	switch {
	case header.Class != dnsmessage.ClassINET:
	case header.Type == dnsmessage.TypeA:
		a, err := p.AResource()
		return netip.AddrFrom4(a.A).String(), err
	case header.Type == dnsmessage.TypeAAAA:
		aaaa, err := p.AAAAResource()
		return netip.AddrFrom16(aaaa.AAAA).String(), err
	case header.Type == dnsmessage.TypePTR:
		ptr, err := p.PTRResource()
		return strings.TrimSuffix(ptr.PTR.String(), "."), err
	}
	return "", p.SkipAnswer()
}

// dnsCode names a response code as dig does.
func dnsCode(code dnsmessage.RCode) string {
	switch code {
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprintf("response code %d", code)
}
