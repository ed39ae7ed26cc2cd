package checkspec

import (
	"encoding/base64"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

func TestHide(t *testing.T) {
	v := configured(t, "virtual=10.0.0.1:80\n    httpheader=Host: example.com\n    httpheader=Authorization: Bearer abc.def\n    httpheader=X-Api-Key: k9\n").Virtuals[0]
	q := &Spec{Check: v.Check}
	q.Login, q.Passwd, q.Secret = "bob", `p"ss word`, "geheim"
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := map[string]struct{ text, want string }{
		"nothing":       {"GET / of example.com by bob", "GET / of example.com by bob"},
		"plain":         {`PASS p"ss word` + "\r\n", "PASS ***\r\n"},
		"quoted":        {`a LOGIN "bob" "p\"ss word"`, `a LOGIN "bob" "***"`},
		"AUTH PLAIN":    {"AUTH PLAIN " + encode("\x00bob\x00p\"ss word"), "AUTH PLAIN ***"},
		"AUTH LOGIN":    {encode(`p"ss word`), "***"},
		"basic":         {"Authorization: Basic " + encode(`bob:p"ss word`), "Authorization: Basic ***"},
		"query":         {"GET /?p=p%22ss+word", "GET /?p=***"},
		"secret":        {"secret geheim", "secret ***"},
		"bearer":        {"Authorization: Bearer abc.def\r\nX-Api-Key: k9", "Authorization: ***\r\nX-Api-Key: ***"},
		"user in a URL": {"GET http://joe:doe@10.1.0.1/", "GET http://joe:***@10.1.0.1/"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := q.secrets().Hide(tt.text); got != tt.want {
				t.Errorf("hide(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// A conversation's beginning may end in the middle of a secret.
func TestHideInCut(t *testing.T) {
	list := (&Spec{Check: conf.Check{Negotiate: conf.Negotiate{Secret: "geheimnis"}}}).secrets()
	for text, want := range map[string]string{
		"say geheimnis":  "say ***",
		"say geheimni":   "say ***",
		"say gehe":       "say ***",
		"say ge":         "say ge", // two letters are in many words
		"say geheimnis.": "say ***.",
	} {
		if got := list.HideIn([]byte(text)); got != want {
			t.Errorf("hideIn(%q) = %q, want %q", text, got, want)
		}
	}
}
