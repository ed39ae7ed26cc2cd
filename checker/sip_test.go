package checker

import (
	"net/netip"
	"strings"
	"testing"
)

const sipRequestUDP = "OPTIONS sip:probe@example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP localhost.localdomain;branch=z9hG4bKcall;rport\r\n" +
	"Max-Forwards: 70\r\n" +
	"To: <sip:probe@example.com>\r\n" +
	"From: <sip:probe@example.com>;tag=call\r\n" +
	"Call-ID: call\r\n" +
	"CSeq: 1 OPTIONS\r\n" +
	"Contact: <sip:probe@example.com>\r\n" +
	"Accept: application/sdp\r\n" +
	"Content-Length: 0\r\n\r\n"

// sipOver is a check whose Call-ID is known.
func sipOver(network string) func() Dialogue {
	return func() Dialogue {
		return &sipDialogue{SIP: SIP{Network: network, Login: "probe@example.com"}, callID: "call"}
	}
}

func TestSIPOverTCP(t *testing.T) {
	request := strings.Replace(sipRequestUDP, "SIP/2.0/UDP", "SIP/2.0/TCP", 1)
	for _, tt := range []struct {
		name, answer, err string
	}{
		{"up", "SIP/2.0 200 OK\r\nCall-ID: call\r\n\r\n", ""},
		{"up with other words", "SIP/2.0 200 Alive\r\n\r\n", ""},
		{"trying first", "SIP/2.0 100 Trying\r\nl: 4\r\n\r\nbody\r\n\r\nSIP/2.0 200 OK\r\n\r\n", ""},
		{"trying, then busy", "SIP/2.0 100 Trying\r\nContent-Length:0\r\n\r\nSIP/2.0 503 Busy\r\n\r\n", `answered "503 Busy"`},
		{"refuses", "SIP/2.0 404 Not Found\r\n\r\n", `answered "404 Not Found"`},
		{"speaks something else", "HTTP/1.1 200 OK\r\n\r\n", `not a SIP answer: "HTTP/1.1 200 OK"`},
		{"a line without end", "SIP/2.0 480 Gone", `answered "480 Gone"`},
		{"only trying", "SIP/2.0 100 Trying\r\n\r\n", errClosed.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			verdict, sent := splitEverywhere(t, sipOver("tcp"), tt.answer)
			if got := errText(verdict.Err); got != tt.err {
				t.Errorf("verdict %q, want %q", got, tt.err)
			}
			if sent != request {
				t.Errorf("sent %q, want %q", sent, request)
			}
		})
	}
}

func TestSIPOverUDP(t *testing.T) {
	for _, tt := range []struct {
		name      string
		datagrams []string
		err       string
	}{
		{"up", []string{"SIP/2.0 200 OK\r\nCall-ID: call\r\n\r\n"}, ""},
		{"no headers at all", []string{"SIP/2.0 200 OK"}, ""},
		{"trying first", []string{"SIP/2.0 100 Trying\r\ni: call\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"}, ""},
		{"late answer to another check", []string{"SIP/2.0 200 OK\r\nCall-ID: other\r\n\r\n", "SIP/2.0 500 No\r\ncall-id : call\r\n\r\n"}, `answered "500 No"`},
		{"speaks something else", []string{"\x00\x01\x02"}, `not a SIP answer: "\x00\x01\x02"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := sipOver("udp")()
			step := d.Next(nil, false)
			if got := string(step.Send); got != sipRequestUDP {
				t.Errorf("sent %q, want %q", got, sipRequestUDP)
			}
			for i, datagram := range tt.datagrams {
				step = d.Next([]byte(datagram), false)
				if last := i == len(tt.datagrams)-1; step.Done != last {
					t.Fatalf("after datagram %d: done %t, want %t", i, step.Done, last)
				}
			}
			if got := errText(step.Err); got != tt.err {
				t.Errorf("verdict %q, want %q", got, tt.err)
			}
		})
	}
}

func TestSIPLogin(t *testing.T) {
	// As in the original if the port implies the service: the check has no user.
	step := SIP{Network: "tcp"}.Dialogue().Next(nil, false)
	if got, want := string(step.Send), "OPTIONS sip: SIP/2.0\r\n"; !strings.HasPrefix(got, want) {
		t.Errorf("sent %q, want %q…", got, want)
	}
	step = SIP{Login: "a\r\nX: y"}.Dialogue().Next(nil, false)
	if got, want := errText(step.Err), `login "a\r\nX: y" is no address`; got != want || len(step.Send) > 0 {
		t.Errorf("verdict %q, sent %q, want %q and nothing", got, step.Send, want)
	}
}

func TestSIPTarget(t *testing.T) {
	addr := netip.MustParseAddrPort("[fd00::1]:5060")
	check := SIP{Network: "udp", Addr: addr, Login: "a@b"}
	if got, want := check.Target(), (Target{Network: "udp", Addr: addr, Resend: sipResend}); got != want {
		t.Errorf("Target = %+v, want %+v", got, want)
	}
	if got, want := check.String(), "sip OPTIONS sip:a@b at [fd00::1]:5060 (udp)"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	check.Network = "tcp"
	if got := check.Target().Resend; got != 0 {
		t.Errorf("over tcp: Resend = %v, want none", got)
	}
}

func FuzzSIP(f *testing.F) {
	f.Add("SIP/2.0 200 OK\r\n\r\n")
	f.Add("SIP/2.0 100 Trying\r\nl: 2\r\n\r\nxxSIP/2.0 500 No\r\n\r\n")
	f.Add("\r\n\r\nSIP/2.0 200 OK\r\n")
	f.Fuzz(func(t *testing.T, data string) {
		fuzzDialogue(t, sipOver("tcp"), data)
		d := sipOver("udp")()
		d.Next(nil, false)
		d.Next([]byte(data), false)
	})
}
