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

// dnsResend is the time after which an unanswered query over udp is sent again.
const dnsResend = time.Second

// maxStrayAnswers limits the answers to other queries that are skipped on one tcp
// connection.
const maxStrayAnswers = 16

// A DNS check is up when the answer to Request has an A, AAAA or PTR record that
// matches Receive.
//
// For a name the query is for A records, then for AAAA if there is no A or if
// Receive holds a colon. For an address the query is for its PTR record.
//
// As in the original, a matching record counts whatever the response code is, and
// an answer may omit the question.
type DNS struct {
	Network string // "udp" or "tcp"
	Addr    netip.AddrPort
	Request string          // a name or an address; the "/" that the configuration puts in front is dropped
	Receive *perlre.Pattern // as in the original, nil and the empty pattern match nothing
	Drain   *perlre.Pattern // a record that matches it wants no new connections; nil is none
	Domains string          // tried in order behind a name without a dot, as by the resolver of this host; separated by blanks
}

// String implements Checker.
func (d DNS) String() string {
	return "dns " + d.subject() + " at " + d.Addr.String() + " (" + d.Network + ")"
}

// subject is the name or address of the query.
func (d DNS) subject() string { return strings.TrimPrefix(d.Request, "/") }

// Target implements Talker.
func (d DNS) Target() Target {
	target := Target{Network: d.Network, Addr: d.Addr, Slow: d.Receive.Slow() || d.Drain.Slow()}
	if d.Network == "udp" {
		target.Resend = dnsResend
	}
	return target
}

// Dialogue implements Talker.
func (d DNS) Dialogue() Dialogue { return &dnsDialogue{DNS: d, id: uint16(rand.Uint32())} }

type dnsDialogue struct {
	DNS
	domain   int                 // the place in Domains of the last query
	id       uint16              // the id of the last query
	question dnsmessage.Question // the last query, zero before the first
	stray    int                 // answers to other queries so far
}

// Next implements Dialogue.
func (d *dnsDialogue) Next(in []byte, _ bool) Step {
	if d.question == (dnsmessage.Question{}) {
		return d.query(dnsmessage.TypeA)
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

// query sends the query for the subject, below the current one of Domains if it has
// no dot. The record type is kind, but for addresses.
func (d *dnsDialogue) query(kind dnsmessage.Type) Step {
	question, err := dnsQuestion(d.subject())
	if domains := d.domains(); err == nil && d.domain < len(domains) {
		question, err = dnsQuestion(d.subject() + "." + domains[d.domain])
	}
	if err != nil {
		return Step{Done: true, Err: err}
	}
	if question.Type == dnsmessage.TypeA {
		question.Type = kind
	}
	return d.send(question)
}

// domains are those of Domains that apply to the subject.
func (d *dnsDialogue) domains() []string {
	if strings.ContainsAny(d.subject(), ".:") {
		return nil
	}
	return strings.Fields(d.Domains)
}

// dnsQuestion is the first query for subject, a name or an address.
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

// reverseName is the name of addr's PTR record.
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

// send sends a query under a new id, so that a repeated answer to the previous query
// does not count for this one.
func (d *dnsDialogue) send(question dnsmessage.Question) Step {
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

// dnsFromStream returns the first message of a tcp stream and its size in the
// stream, 0 if it is incomplete.
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

// answer processes one message.
func (d *dnsDialogue) answer(message []byte) Step {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || !header.Response {
		return down("not a DNS answer: %s", safetext.Excerpt(message))
	}
	if header.ID != d.id || !d.isOurs(&p, header) {
		d.stray++
		if d.Network != "udp" && d.stray > maxStrayAnswers {
			return down("%d answers to other queries", d.stray)
		}
		return Step{}
	}
	records, err := dnsRecords(&p)
	if match, err := d.match(records); match != "" || err != nil {
		return Step{Done: true, Detail: match, Err: err}
	}
	switch {
	case header.RCode == dnsmessage.RCodeSuccess && err != nil && !header.Truncated:
		return down("%s: broken answer: %w", d.kind(), err)
	case header.Truncated && d.Network == "udp":
		whole := d.DNS
		whole.Network = "tcp"
		return Step{Follow: whole}
	case len(records) == 0 && d.domain+1 < len(d.domains()):
		d.domain++
		return d.query(d.question.Type)
	case header.RCode != dnsmessage.RCodeSuccess:
		return down("%s: %s", d.kind(), dnsCode(header.RCode))
	}
	return d.withoutMatch(records)
}

// isOurs reports whether the answer belongs to our query. Servers may change the
// case of names, and may omit the question; an error may be a bare header.
func (d *dnsDialogue) isOurs(p *dnsmessage.Parser, header dnsmessage.Header) bool {
	question, err := p.Question()
	if err != nil {
		return errors.Is(err, dnsmessage.ErrSectionDone) || header.RCode != dnsmessage.RCodeSuccess
	}
	return question.Type == d.question.Type && question.Class == d.question.Class &&
		strings.EqualFold(question.Name.String(), d.question.Name.String()) &&
		p.SkipAllQuestions() == nil
}

// match is the detail of the first record that matches Receive, "" if there is none.
func (d *dnsDialogue) match(records []string) (detail string, err error) {
	for _, record := range records {
		if err := drained(d.Drain, []byte(record)); err != nil {
			return "", err
		}
	}
	if d.expectsNothing() {
		return "", nil
	}
	for _, record := range records {
		matched, err := d.Receive.Match([]byte(record))
		if err != nil {
			return "", err
		}
		if matched {
			return d.kind() + " " + record, nil
		}
	}
	return "", nil
}

// expectsNothing reports whether Receive is empty, which no record matches.
func (d *dnsDialogue) expectsNothing() bool { return d.Receive == nil || d.Receive.String() == "" }

// withoutMatch sends the next query or ends as down.
func (d *dnsDialogue) withoutMatch(records []string) Step {
	switch {
	case len(records) > 0 && d.expectsNothing():
		return down("%s: receive is empty, which no record matches", d.kind())
	case d.question.Type == dnsmessage.TypeA && !d.expectsNothing() &&
		(len(records) == 0 || strings.Contains(d.Receive.String(), ":")):
		d.domain = 0
		return d.query(dnsmessage.TypeAAAA)
	case len(records) == 0:
		return down("%s: no such record", d.kind())
	}
	return down("%s: receive %s does not match %s", d.kind(), safetext.Excerpt(d.Receive.String()), safetext.Excerpt(strings.Join(records, " ")))
}

// kind is the record type of the query: "A", "AAAA" or "PTR".
func (d *dnsDialogue) kind() string { return strings.TrimPrefix(d.question.Type.String(), "Type") }

// dnsRecords returns the values of the A, AAAA and PTR records of an answer,
// including those before an error.
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

// dnsValue takes the next record and returns its text for Receive, "" for a record
// of another type.
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
