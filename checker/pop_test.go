package checker

import (
	"net/netip"
	"testing"
)

func TestPOP(t *testing.T) {
	login := POP{Login: "u", Passwd: "pw"}
	runDialogues(t, []dialogueTest{
		{name: "up by its greeting", talker: POP{}, turns: []string{"+OK ready\r\n"}, sent: "QUIT\r\n"},
		{name: "a bare greeting", talker: POP{}, turns: []string{"+OK\n"}, sent: "QUIT\r\n"},
		{name: "refuses", talker: POP{}, turns: []string{"-ERR full\r\n"}, sent: "QUIT\r\n", err: `greeting: "-ERR full"`},
		{name: "speaks something else", talker: POP{}, turns: []string{"+OKAY\r\n"}, sent: "QUIT\r\n", err: `greeting: "+OKAY"`},
		{name: "says nothing", talker: POP{}, turns: nil, err: errClosed.Error()},
		{
			name: "logs in", talker: login,
			turns: []string{"+OK\r\n", "+OK\r\nUSER\r\nSTLS\r\n.\r\n", "+OK\r\n", "+OK\r\n", "+OK 0 0\r\n"},
			sent:  "CAPA\r\nUSER u\r\nPASS pw\r\nSTAT\r\nQUIT\r\n",
		},
		{
			name: "does not know CAPA", talker: login,
			turns: []string{"+OK\r\n", "-ERR what?\r\n", "+OK\r\n", "+OK\r\n", "+OK 0 0\r\n"},
			sent:  "CAPA\r\nUSER u\r\nPASS pw\r\nSTAT\r\nQUIT\r\n",
		},
		{
			name: "a wrong password, repeated by the server", talker: login,
			turns: []string{"+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR pw is wrong\r\n"},
			sent:  "CAPA\r\nUSER u\r\nPASS pw\r\nQUIT\r\n", err: `PASS: "-ERR *** is wrong"`,
		},
		{
			name: "an unknown user", talker: login,
			turns: []string{"+OK\r\n", "-ERR\r\n", "-ERR who?\r\n"},
			sent:  "CAPA\r\nUSER u\r\nQUIT\r\n", err: `USER: "-ERR who?"`,
		},
		{
			name: "a mailbox that is locked", talker: login,
			turns: []string{"+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "-ERR [IN-USE]\r\n"},
			sent:  "CAPA\r\nUSER u\r\nPASS pw\r\nSTAT\r\nQUIT\r\n", err: `STAT: "-ERR [IN-USE]"`,
		},
		{
			name: "TLS, then up", talker: POP{StartTLS: someTLS},
			turns: []string{"+OK\r\n", "+OK go\r\n"}, sent: "STLS\r\n<TLS>QUIT\r\n",
		},
		{
			name: "TLS, then logs in", talker: POP{Login: "u", Passwd: "pw", StartTLS: someTLS},
			turns: []string{"+OK\r\n", "+OK go\r\n", "+OK\r\n.\r\n", "+OK\r\n", "+OK\r\n", "+OK 0 0\r\n"},
			sent:  "STLS\r\n<TLS>CAPA\r\nUSER u\r\nPASS pw\r\nSTAT\r\nQUIT\r\n",
		},
		{
			name: "no TLS to be had", talker: POP{StartTLS: someTLS},
			turns: []string{"+OK\r\n", "-ERR what?\r\n"}, sent: "STLS\r\nQUIT\r\n", err: `STLS: "-ERR what?"`,
		},
		{
			name: "a password that would be a command", talker: POP{Login: "u", Passwd: "pw\r\nDELE 1"},
			turns: []string{"+OK\r\n"}, err: "login and passwd have to be one line each",
		},
	})
}

func TestPOPString(t *testing.T) {
	addr := netip.MustParseAddrPort("10.1.0.1:110")
	for want, check := range map[string]POP{
		"pop 10.1.0.1:110":       {Addr: addr},
		"pop 10.1.0.1:110 as u":  {Addr: addr, Login: "u", Passwd: "secret"},
		"pops 10.1.0.1:110 as u": {Addr: addr, Login: "u", TLS: someTLS},
	} {
		if got := check.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
		if got := check.Target().TLS; got != check.TLS {
			t.Errorf("%s: Target.TLS = %v, want %v", want, got, check.TLS)
		}
	}
}

func FuzzPOP(f *testing.F) {
	f.Add("+OK\r\n+OK\r\nUSER\r\n.\r\n+OK\r\n+OK\r\n+OK 0 0\r\n")
	f.Add("+OK\r\n-ERR\r\n+OK\r\n-ERR pw\r\n")
	f.Fuzz(func(t *testing.T, data string) {
		fuzzDialogue(t, POP{Login: "u", Passwd: "pw"}.Dialogue, data)
	})
}
