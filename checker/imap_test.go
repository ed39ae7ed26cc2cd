package checker

import (
	"net/netip"
	"testing"
)

func TestIMAP(t *testing.T) {
	login := IMAP{Login: "u", Passwd: "pw"}
	runDialogues(t, []dialogueTest{
		{name: "up by its greeting", talker: IMAP{}, turns: []string{"* OK ready\r\n"}, sent: "a1 LOGOUT\r\n"},
		{name: "small letters", talker: IMAP{}, turns: []string{"* ok\n"}, sent: "a1 LOGOUT\r\n"},
		{name: "refuses", talker: IMAP{}, turns: []string{"* BYE full\r\n"}, err: `greeting: "* BYE full"`},
		{name: "speaks something else", talker: IMAP{}, turns: []string{"+OK\r\n"}, err: `greeting: "+OK"`},
		{name: "in already", talker: login, turns: []string{"* PREAUTH root\r\n"}, sent: "a1 LOGOUT\r\n"},
		{
			name: "logs in", talker: login,
			turns: []string{"* OK\r\n", "* CAPABILITY IMAP4rev1\r\na1 OK in\r\n"},
			sent:  "a1 LOGIN u \"pw\"\r\na2 LOGOUT\r\n",
		},
		{
			name: "a wrong password, repeated by the server", talker: login,
			turns: []string{"* OK\r\n", "a1 NO not pw\r\n"},
			sent:  "a1 LOGIN u \"pw\"\r\na2 LOGOUT\r\n", err: `LOGIN: "a1 NO not ***"`,
		},
		{
			name: "closes instead", talker: login,
			turns: []string{"* OK\r\n", "* BYE closing\r\n"},
			sent:  "a1 LOGIN u \"pw\"\r\na2 LOGOUT\r\n", err: `LOGIN: "* BYE closing"`,
		},
		{
			name: "asks for what is not there", talker: login,
			turns: []string{"* OK\r\n", "+ go on\r\n"},
			sent:  "a1 LOGIN u \"pw\"\r\na2 LOGOUT\r\n", err: `LOGIN: "+ go on"`,
		},
		{
			name: "quotes", talker: IMAP{Login: "u v", Passwd: `p"\w`},
			turns: []string{"* OK\r\n", "a1 OK\r\n"},
			sent:  `a1 LOGIN "u v" "p\"\\w"` + "\r\na2 LOGOUT\r\n",
		},
		{
			name: "literals", talker: IMAP{Login: "jürgen", Passwd: "p\r\nw"},
			turns: []string{"* OK\r\n", "+ go\r\n", "+ go\r\n", "a1 OK\r\n"},
			sent:  "a1 LOGIN {7}\r\njürgen {4}\r\np\r\nw\r\na2 LOGOUT\r\n",
		},
		{
			name: "TLS, then logs in", talker: IMAP{Login: "u", StartTLS: someTLS},
			turns: []string{"* OK\r\n", "a1 OK go\r\n", "a2 OK\r\n"},
			sent:  "a1 STARTTLS\r\n<TLS>a2 LOGIN u \"\"\r\na3 LOGOUT\r\n",
		},
		{
			name: "TLS, then up", talker: IMAP{StartTLS: someTLS},
			turns: []string{"* OK\r\n", "a1 OK go\r\n"}, sent: "a1 STARTTLS\r\n<TLS>a2 LOGOUT\r\n",
		},
		{
			name: "no TLS to be had", talker: IMAP{StartTLS: someTLS},
			turns: []string{"* OK\r\n", "a1 BAD what?\r\n"},
			sent:  "a1 STARTTLS\r\na2 LOGOUT\r\n", err: `STARTTLS: "a1 BAD what?"`,
		},
	})
}

func TestIMAPString(t *testing.T) {
	addr := netip.MustParseAddrPort("10.1.0.1:1430")
	for want, check := range map[string]IMAP{
		"imap 10.1.0.1:1430":       {Addr: addr},
		"imaps 10.1.0.1:1430 as u": {Addr: addr, Login: "u", Passwd: "secret", TLS: someTLS},
	} {
		if got := check.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
		// The original always uses port 143 or 993; see docs/compatibility.md.
		if got := check.Target(); got.Addr != addr || got.TLS != check.TLS {
			t.Errorf("%s: Target = %+v", want, got)
		}
	}
}

func FuzzIMAP(f *testing.F) {
	f.Add("* OK\r\n* CAPABILITY IMAP4rev1\r\na1 OK in\r\n")
	f.Add("* OK\r\n+ go\r\na1 NO pw\r\n")
	f.Add("* BYE\r\n")
	f.Fuzz(func(t *testing.T, data string) {
		fuzzDialogue(t, IMAP{Login: "ü", Passwd: "pw"}.Dialogue, data)
	})
}
