package checker

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// dnsID is the id of the first question in these tests; the next has one more.
const dnsID = 1000

// dnsOver is a check whose ids are known.
func dnsOver(t testing.TB, network, request, receive string) func() Dialogue {
	t.Helper()
	pattern, err := perlre.Compile(receive)
	if err != nil {
		t.Fatal(err)
	}
	check := DNS{Network: network, Request: request, Receive: pattern}
	return func() Dialogue { return &dnsDialogue{DNS: check, id: dnsID - 1} }
}

// A dnsReply is the answer of a server to the question that it got.
type dnsReply struct {
	id        int // more than the question's
	code      dnsmessage.RCode
	name      string // of the record, if not the question's
	noQ       bool   // the question is left out
	truncated bool
	records   []dnsmessage.ResourceBody
}

func (r dnsReply) pack(t testing.TB, id uint16, question dnsmessage.Question) string {
	t.Helper()
	if r.name != "" {
		question.Name = dnsmessage.MustNewName(r.name)
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id + uint16(r.id), Response: true, RCode: r.code, Truncated: r.truncated},
		Questions: []dnsmessage.Question{question},
	}
	if r.noQ {
		message.Questions = nil
	}
	for _, body := range r.records {
		message.Answers = append(message.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   body,
		})
	}
	packed, err := message.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return string(packed)
}

func a(addr string) dnsmessage.ResourceBody {
	return &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()}
}

func aaaa(addr string) dnsmessage.ResourceBody {
	return &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(addr).As16()}
}

func ptr(name string) dnsmessage.ResourceBody {
	return &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name)}
}

func cname(name string) dnsmessage.ResourceBody {
	return &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(name)}
}

// unframe takes the questions out of what a dialogue over tcp sent.
func unframe(t *testing.T, sent string) (questions []dnsmessage.Message) {
	t.Helper()
	for sent != "" {
		message, size := dnsFromStream([]byte(sent))
		if size == 0 {
			t.Fatalf("sent %q, which is no whole message", sent)
		}
		var m dnsmessage.Message
		if err := m.Unpack(message); err != nil {
			t.Fatal(err)
		}
		questions = append(questions, m)
		sent = sent[size:]
	}
	return questions
}

func frame(message string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(message)))) + message
}

func TestDNS(t *testing.T) {
	type replies []dnsReply
	for _, tt := range []struct {
		name, request, receive string
		replies                replies
		asked                  string // "TYPE name" of each question
		detail, err            string
	}{
		{
			"the second address", "www.example.com", `10\.0\.9\.2$`,
			replies{{records: []dnsmessage.ResourceBody{a("10.0.9.1"), a("10.0.9.2")}}},
			"A www.example.com.", "A 10.0.9.2", "",
		},
		{
			"the configuration's slash", "/www.example.com", "10.0",
			replies{{records: []dnsmessage.ResourceBody{a("10.0.9.1")}}},
			"A www.example.com.", "A 10.0.9.1", "",
		},
		{
			"through another name", "www.example.com", "10.0",
			replies{{records: []dnsmessage.ResourceBody{cname("a.example."), a("10.0.9.1")}}},
			"A www.example.com.", "A 10.0.9.1", "",
		},
		{
			"no match", "www.example.com", "10.9",
			replies{{records: []dnsmessage.ResourceBody{a("10.0.9.1"), a("10.0.9.2")}}},
			"A www.example.com.", "", `A: receive "10.9" does not match "10.0.9.1 10.0.9.2"`,
		},
		{
			"receive is empty", "www.example.com", "",
			replies{{records: []dnsmessage.ResourceBody{a("10.0.9.1")}}},
			"A www.example.com.", "", "A: receive is empty, which no record matches",
		},
		{
			"receive is empty and nothing comes", "www.example.com", "",
			replies{{}},
			"A www.example.com.", "", "A: no such record",
		},
		{
			"only an IPv6 address", "six.example.com", "fd00",
			replies{{}, {id: 1, records: []dnsmessage.ResourceBody{aaaa("fd00::1")}}},
			"A six.example.com. AAAA six.example.com.", "AAAA fd00::1", "",
		},
		{
			"both, the IPv6 address wanted", "both.example.com", "^fd00::",
			replies{
				{records: []dnsmessage.ResourceBody{a("10.0.9.1")}},
				{id: 1, records: []dnsmessage.ResourceBody{aaaa("fd00::1")}},
			},
			"A both.example.com. AAAA both.example.com.", "AAAA fd00::1", "",
		},
		{
			"no address at all", "none.example.com", "x",
			replies{{}, {id: 1}},
			"A none.example.com. AAAA none.example.com.", "", "AAAA: no such record",
		},
		{
			"the name of an address", "10.0.9.1", `^ptr\.example\.com$`,
			replies{{records: []dnsmessage.ResourceBody{ptr("ptr.example.com.")}}},
			"PTR 1.9.0.10.in-addr.arpa.", "PTR ptr.example.com", "",
		},
		{
			"the name of an IPv6 address", "fd00::1", "ptr",
			replies{{records: []dnsmessage.ResourceBody{ptr("ptr.example.com.")}}},
			"PTR 1." + strings.Repeat("0.", 28) + "0.d.f.ip6.arpa.", "PTR ptr.example.com", "",
		},
		{
			"no such name", "nx.example.com", "x",
			replies{{code: dnsmessage.RCodeNameError}},
			"A nx.example.com.", "", "A: NXDOMAIN",
		},
		{
			"a server in trouble, without the question", "www.example.com", "x",
			replies{{code: dnsmessage.RCodeServerFailure, noQ: true}},
			"A www.example.com.", "", "A: SERVFAIL",
		},
		{
			"a server that does not want us", "www.example.com", "x",
			replies{{code: dnsmessage.RCodeRefused}},
			"A www.example.com.", "", "A: REFUSED",
		},
		{
			"an unusual code", "www.example.com", "x",
			replies{{code: 9}},
			"A www.example.com.", "", "A: response code 9",
		},
		{ // the next three as in the original, for which records count and nothing else
			"the record matches, whatever the code is", "www.example.com", "10.0",
			replies{{code: dnsmessage.RCodeNameError, records: []dnsmessage.ResourceBody{a("10.0.9.1")}}},
			"A www.example.com.", "A 10.0.9.1", "",
		},
		{
			"another record under a code", "www.example.com", "10.9",
			replies{{code: dnsmessage.RCodeNameError, records: []dnsmessage.ResourceBody{a("10.0.9.1")}}},
			"A www.example.com.", "", "A: NXDOMAIN",
		},
		{
			"an answer without the question", "www.example.com", "10.0",
			replies{{noQ: true, records: []dnsmessage.ResourceBody{a("10.0.9.1")}}},
			"A www.example.com.", "A 10.0.9.1", "",
		},
		{
			"answers to others are passed over", "www.example.com", "10.0",
			replies{
				{id: 7, records: []dnsmessage.ResourceBody{a("10.0.9.7")}},
				{name: "other.example.", records: []dnsmessage.ResourceBody{a("10.0.9.8")}},
				{name: "WWW.example.COM.", records: []dnsmessage.ResourceBody{a("10.0.9.1")}},
			},
			"A www.example.com.", "A 10.0.9.1", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			question, err := dnsQuestion(strings.TrimPrefix(tt.request, "/"))
			if err != nil {
				t.Fatal(err)
			}
			var turns []string
			for i, reply := range tt.replies {
				if i > 0 && reply.id == 1 {
					question.Type = dnsmessage.TypeAAAA
				}
				turns = append(turns, reply.pack(t, dnsID, question))
			}
			var framed []string
			for _, turn := range turns {
				framed = append(framed, frame(turn))
			}
			verdict, sent := splitEverywhere(t, dnsOver(t, "tcp", tt.request, tt.receive), framed...)
			var asked []string
			for _, m := range unframe(t, sent) {
				q := m.Questions[0]
				asked = append(asked, strings.TrimPrefix(q.Type.String(), "Type")+" "+q.Name.String())
			}
			if got := strings.Join(asked, " "); got != tt.asked {
				t.Errorf("queries %q, want %q", got, tt.asked)
			}
			if verdict.Detail != tt.detail || errText(verdict.Err) != tt.err {
				t.Errorf("over tcp: %q, %q, want %q, %q", verdict.Detail, errText(verdict.Err), tt.detail, tt.err)
			}
			verdict = feedDatagrams(dnsOver(t, "udp", tt.request, tt.receive)(), turns)
			if verdict.Detail != tt.detail || errText(verdict.Err) != tt.err {
				t.Errorf("over udp: %q, %q, want %q, %q", verdict.Detail, errText(verdict.Err), tt.detail, tt.err)
			}
		})
	}
}

// TestDNSDomains is about names without a dot, for which the original asks as the
// resolver of the director does.
func TestDNSDomains(t *testing.T) {
	for _, tt := range []struct {
		name, request string
		domains       []string
		asked         []string // "TYPE name" of each query; the last is answered, those before are not known
		records       []dnsmessage.ResourceBody
		detail, err   string
	}{
		{"no domains", "www", nil, []string{"A www."}, []dnsmessage.ResourceBody{a("10.0.9.1")}, "A 10.0.9.1", ""},
		{"the second domain", "www", []string{"a.example", "b.example"}, []string{"A www.a.example.", "A www.b.example."}, []dnsmessage.ResourceBody{a("10.0.9.1")}, "A 10.0.9.1", ""},
		{"in none", "/www", []string{"a.example", "b.example"}, []string{"A www.a.example.", "A www.b.example."}, nil, "", "A: NXDOMAIN"},
		{"a dot", "www.example.com", []string{"a.example"}, []string{"A www.example.com."}, []dnsmessage.ResourceBody{a("10.0.9.1")}, "A 10.0.9.1", ""},
		{"an address", "10.0.9.1", []string{"a.example"}, []string{"PTR 1.9.0.10.in-addr.arpa."}, []dnsmessage.ResourceBody{ptr("10.0.example.")}, "PTR 10.0.example", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &dnsDialogue{DNS: DNS{Network: "udp", Request: tt.request, Receive: pattern(t, "10.0"), Domains: strings.Join(tt.domains, " ")}, id: dnsID - 1}
			step := d.Next(nil, false)
			for i, want := range tt.asked {
				var query dnsmessage.Message
				if err := query.Unpack(step.Send); err != nil {
					t.Fatalf("query %d is %q: %v", i+1, step.Send, err)
				}
				q := query.Questions[0]
				if got := strings.TrimPrefix(q.Type.String(), "Type") + " " + q.Name.String(); got != want {
					t.Fatalf("query %d is %s, want %s", i+1, got, want)
				}
				reply := dnsReply{code: dnsmessage.RCodeNameError}
				if i == len(tt.asked)-1 && tt.records != nil {
					reply = dnsReply{records: tt.records}
				}
				step = d.Next([]byte(reply.pack(t, query.ID, q)), false)
			}
			if !step.Done || step.Detail != tt.detail || errText(step.Err) != tt.err {
				t.Errorf("the verdict is %+v, want %q, %q", step, tt.detail, tt.err)
			}
		})
	}
}

// feedDatagrams hands each of datagrams alone to d and returns the last Step.
func feedDatagrams(d Dialogue, datagrams []string) Step {
	step := d.Next(nil, false)
	for _, datagram := range datagrams {
		if step.Done || step.Follow != nil {
			break
		}
		step = d.Next([]byte(datagram), false)
	}
	return step
}

func TestDNSTruncated(t *testing.T) {
	question, err := dnsQuestion("www.example.com")
	if err != nil {
		t.Fatal(err)
	}
	cut := dnsReply{truncated: true, records: []dnsmessage.ResourceBody{a("10.0.9.1")}}.pack(t, dnsID, question)
	step := feedDatagrams(dnsOver(t, "udp", "www.example.com", "10.0.9.2")(), []string{cut})
	if step.Follow == nil || step.Follow.Target().Network != "tcp" {
		t.Errorf("a truncated answer without a match: %+v, want to follow over tcp", step)
	}
	step = feedDatagrams(dnsOver(t, "udp", "www.example.com", "10.0.9.1")(), []string{cut})
	if step.Detail != "A 10.0.9.1" || step.Err != nil {
		t.Errorf("a truncated answer with a match: %+v, want up", step)
	}
}

func TestDNSBroken(t *testing.T) {
	question, err := dnsQuestion("www.example.com")
	if err != nil {
		t.Fatal(err)
	}
	whole := dnsReply{records: []dnsmessage.ResourceBody{a("10.0.9.1")}}.pack(t, dnsID, question)
	for name, tt := range map[string]struct{ datagram, err string }{
		"too short":              {"hello", "not a DNS answer: "},
		"our own question":       {whole[:2] + "\x01\x00" + whole[4:], "not a DNS answer: "},
		"the end is missing":     {whole[:len(whole)-2], "A: broken answer: "},
		"more records announced": {whole[:7] + "\x02" + whole[8:], "A: broken answer: "},
	} {
		t.Run(name, func(t *testing.T) {
			got := errText(feedDatagrams(dnsOver(t, "udp", "www.example.com", "x")(), []string{tt.datagram}).Err)
			if !strings.HasPrefix(got, tt.err) {
				t.Errorf("verdict %q, want %q…", got, tt.err)
			}
		})
	}
	stray := strings.Repeat(frame(dnsReply{id: 7}.pack(t, dnsID, question)), maxStrayAnswers+1)
	step := runAtOnce(t, dnsOver(t, "tcp", "www.example.com", "x")(), stray)
	if got, want := errText(step.Err), "17 answers to other queries"; got != want {
		t.Errorf("stray answers without end: %q, want %q", got, want)
	}
}

func TestDNSRequest(t *testing.T) {
	for _, request := range []string{strings.Repeat("x", 64) + ".example", strings.Repeat("long.", 60), "a..b"} {
		step := DNS{Network: "udp", Request: request}.Dialogue().Next(nil, false)
		if got, want := errText(step.Err), "request "+safetext.Excerpt(request)+" is no name"; got != want || step.Send != nil {
			t.Errorf("request %q: %q, want %q", request, got, want)
		}
	}
}

func TestDNSTarget(t *testing.T) {
	addr := netip.MustParseAddrPort("10.1.0.1:53")
	check := DNS{Network: "udp", Addr: addr, Request: "/www.example.com"}
	if got, want := check.Target(), (Target{Network: "udp", Addr: addr, Resend: dnsResend}); got != want {
		t.Errorf("Target = %+v, want %+v", got, want)
	}
	if got, want := check.String(), "dns www.example.com at 10.1.0.1:53 (udp)"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	check.Network = "tcp"
	if got := check.Target().Resend; got != 0 {
		t.Errorf("over tcp: Resend = %v, want none", got)
	}
}

func FuzzDNS(f *testing.F) {
	question, err := dnsQuestion("www.example.com")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(dnsReply{records: []dnsmessage.ResourceBody{a("10.0.9.1"), cname("b.example.")}}.pack(f, dnsID, question))
	f.Add(dnsReply{truncated: true}.pack(f, dnsID, question))
	f.Add(dnsReply{code: dnsmessage.RCodeNameError}.pack(f, dnsID, question))
	f.Fuzz(func(t *testing.T, data string) {
		fuzzDialogue(t, dnsOver(t, "tcp", "www.example.com", "10.0.9.1"), frame(data[:min(len(data), 4000)]))
		feedDatagrams(dnsOver(t, "udp", "www.example.com", "10.0.9.1")(), []string{data})
	})
}
