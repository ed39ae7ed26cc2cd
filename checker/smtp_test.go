package checker

import (
	"crypto/tls"
	"net/netip"
	"testing"
)

// someTLS is any configuration, for tests without a handshake.
var someTLS = &tls.Config{ServerName: "mail.example.com"}

func TestSMTP(t *testing.T) {
	const ehlo, helo = "EHLO localhost.localdomain\r\n", "HELO localhost.localdomain\r\n"
	runDialogues(t, []dialogueTest{
		{
			name: "up", talker: SMTP{},
			turns: []string{"220 mx ESMTP\r\n", "250-mx\r\n250-SIZE 1\r\n250 HELP\r\n"},
			sent:  ehlo + "QUIT\r\n",
		},
		{
			name: "a greeting of many lines, LF alone", talker: SMTP{},
			turns: []string{"220-mx\n220-no spam\n220\n", "250\n"},
			sent:  ehlo + "QUIT\r\n",
		},
		{
			name: "knows only HELO", talker: SMTP{},
			turns: []string{"220 mx\r\n", "502 what?\r\n", "250 mx\r\n"},
			sent:  ehlo + helo + "QUIT\r\n",
		},
		{
			name: "wants neither", talker: SMTP{},
			turns: []string{"220 mx\r\n", "550 no\r\n", "550 go away\r\n"},
			sent:  ehlo + helo + "QUIT\r\n", err: `HELO: "550 go away"`,
		},
		{
			name: "too busy after EHLO", talker: SMTP{},
			turns: []string{"220 mx\r\n", "421 too busy\r\n"},
			sent:  ehlo + "QUIT\r\n", err: `EHLO: "421 too busy"`,
		},
		{
			name: "refuses by its greeting", talker: SMTP{},
			turns: []string{"554 go away\r\n"}, sent: "QUIT\r\n", err: `greeting: "554 go away"`,
		},
		{
			name: "speaks something else", talker: SMTP{},
			turns: []string{"SSH-2.0-OpenSSH_9.2\r\n"},
			err:   `greeting: not an SMTP reply: "SSH-2.0-OpenSSH_9.2"`,
		},
		{
			name: "a number, but no reply", talker: SMTP{},
			turns: []string{"2200 mx\r\n"}, err: `greeting: not an SMTP reply: "2200 mx"`,
		},
		{name: "an empty line", talker: SMTP{}, turns: []string{"\r\n"}, err: `greeting: not an SMTP reply: ""`},
		{name: "says half", talker: SMTP{}, turns: []string{"220 m"}, err: errClosed.Error()},
		{
			name: "up with STARTTLS", talker: SMTP{StartTLS: someTLS},
			turns: []string{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n", "250 mx\r\n"},
			sent:  ehlo + "STARTTLS\r\n<TLS>" + ehlo + "QUIT\r\n",
		},
		{
			name: "has no STARTTLS", talker: SMTP{StartTLS: someTLS},
			turns: []string{"220 mx\r\n", "250 mx\r\n", "502 what?\r\n"},
			sent:  ehlo + "STARTTLS\r\nQUIT\r\n", err: `STARTTLS: "502 what?"`,
		},
		{
			name: "fails under TLS", talker: SMTP{StartTLS: someTLS},
			turns: []string{"220 mx\r\n", "250 mx\r\n", "220 go\r\n", "500 no\r\n", "500 never\r\n"},
			sent:  ehlo + "STARTTLS\r\n<TLS>" + ehlo + helo + "QUIT\r\n", err: `HELO: "500 never"`,
		},
	})
}

func TestSMTPString(t *testing.T) {
	addr := netip.MustParseAddrPort("[fd00::1]:587")
	if got, want := (SMTP{Addr: addr}).String(), "smtp [fd00::1]:587"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	if got, want := (SMTP{Service: "submission", Addr: addr}).String(), "submission [fd00::1]:587"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func FuzzSMTP(f *testing.F) {
	f.Add("220 mx\r\n250-mx\r\n250 HELP\r\n")
	f.Add("220 mx\r\n500 no\r\n250 HELP\r\n")
	f.Add("220-mx\n220\n")
	f.Fuzz(func(t *testing.T, data string) { fuzzDialogue(t, SMTP{}.Dialogue, data) })
}
