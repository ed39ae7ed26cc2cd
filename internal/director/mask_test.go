package director

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/ldirectord/ldirectord/internal/engine"
)

func TestHide(t *testing.T) {
	q := &manner{login: "bob", passwd: `p"ss word`, secret: "geheim"}
	q.web.headers = "Host: example.com\nAuthorization: Bearer abc.def\nX-Api-Key: k9"
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
	list := (&manner{secret: "geheimnis"}).secrets()
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

func TestHideResult(t *testing.T) {
	k := &kit{secrets: (&manner{passwd: "geheim"}).secrets()}
	mine := errors.New("nobody answers")
	res := engine.Result{Detail: "hello geheim", Err: mine}
	k.hideResult(&res)
	if res.Detail != "hello ***" || res.Err != mine {
		t.Errorf("got %q and %v: want the detail hidden and the error as it was", res.Detail, res.Err)
	}
	res.Err = errors.New("no such password: geheim")
	k.hideResult(&res)
	if got := res.Err.Error(); got != "no such password: ***" {
		t.Errorf("got error %q", got)
	}
}
