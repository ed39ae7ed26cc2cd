package checker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A dialogueTest is a whole conversation of a Talker with a server that sends
// turns, and the result, which must not depend on how the turns are cut.
type dialogueTest struct {
	name   string
	talker Talker
	turns  []string
	sent   string // all that the dialogue sends, "<TLS>" for a handshake
	detail string
	err    string // "" is up
}

func runDialogues(t *testing.T, tests []dialogueTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdict, sent := splitEverywhere(t, tt.talker.Dialogue, tt.turns...)
			got := outcome(verdict, sent)
			want := map[string]string{"sent": tt.sent, "detail": tt.detail, "err": tt.err, "follow": ""}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", tt.talker, diff)
			}
		})
	}
}

// runAtOnce hands a Dialogue all that a server ever sends with the first
// piece, as a server that does not wait for questions does.
func runAtOnce(t *testing.T, d Dialogue, all string) Step {
	t.Helper()
	verdict, _ := feed(t, d, []string{all})
	return verdict
}

// fuzzDialogue feeds a Dialogue data in one piece and byte by byte: whatever
// came, it must not panic and must come to the same verdict.
func fuzzDialogue(t *testing.T, dialogue func() Dialogue, data string) {
	t.Helper()
	if len(data) > 4096 {
		t.Skip("long inputs find nothing that short ones do not")
	}
	whole, sentWhole := feed(t, dialogue(), []string{data})
	split, sentSplit := feed(t, dialogue(), strings.Split(data, ""))
	if diff := cmp.Diff(outcome(whole, sentWhole), outcome(split, sentSplit)); diff != "" {
		t.Errorf("the verdict on %q differs (-whole +byte by byte):\n%s", data, diff)
	}
}

func TestTooLong(t *testing.T) {
	endless := map[string]struct {
		talker Talker
		piece  string
	}{
		"smtp, a reply of many lines": {SMTP{}, "220-welcome\r\n"},
		"smtp, a line without end":    {SMTP{}, "220 wel"},
		"pop, a line without end":     {POP{}, "+OK wel"},
		"pop, many capabilities":      {POP{Login: "u"}, "+OK\r\n"},
		"imap, many announcements":    {IMAP{Login: "u"}, "* OK\r\n"},
		"nntp, a line without end":    {NNTP{}, "400 no"},
		"redis, a line without end":   {Redis{}, "+PON"},
		"memcached, no line":          {Memcached{}, "VERSION"},
		"sip, no header's end":        {SIP{Network: "tcp"}, "SIP/2.0 100 Trying\r\n"},
		"sip, many provisionals":      {SIP{Network: "tcp"}, "SIP/2.0 100 Trying\r\n\r\n"},
	}
	for name, tt := range endless {
		t.Run(name, func(t *testing.T) {
			all := strings.Repeat(tt.piece, 2*maxTalk/len(tt.piece))
			if got := errText(runAtOnce(t, tt.talker.Dialogue(), all).Err); got != errTooLong.Error() {
				t.Errorf("in one piece: %q, want %q", got, errTooLong)
			}
			verdict, _ := feed(t, tt.talker.Dialogue(), pieces([]string{all}, func(turn string, _ int) []string {
				return strings.SplitAfter(turn, tt.piece)
			}))
			if got := errText(verdict.Err); got != errTooLong.Error() {
				t.Errorf("piece by piece: %q, want %q", got, errTooLong)
			}
		})
	}
}

// Plain text behind the answer to STARTTLS must not count as received under TLS.
func TestStartTLSInjection(t *testing.T) {
	tests := map[string]struct {
		talker Talker
		all    string
	}{
		"smtp": {SMTP{StartTLS: someTLS}, "220 hi\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n"},
		"pop":  {POP{StartTLS: someTLS}, "+OK hi\r\n+OK go\r\n+OK injected\r\n"},
		"imap": {IMAP{StartTLS: someTLS, Login: "u"}, "* OK hi\r\na1 OK go\r\na2 OK injected\r\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := errText(runAtOnce(t, tt.talker.Dialogue(), tt.all).Err)
			if want := "more than an answer to the request for TLS: "; !strings.HasPrefix(got, want) {
				t.Errorf("verdict %q, want %q…", got, want)
			}
		})
	}
}

func TestHide(t *testing.T) {
	if got, want := hide("no s3cret and token", "s3cret", "", "token"), "no *** and ***"; got != want {
		t.Errorf("hide = %q, want %q", got, want)
	}
}
