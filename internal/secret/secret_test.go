package secret

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
)

// A secret prints masked whatever makes text of it.
func TestPrintsMasked(t *testing.T) {
	tests := map[string]struct {
		secret any
		want   string
	}{
		"a text":                {Text("hunter2"), "***"},
		"no text":               {Text(""), ""},
		"a query":               {Request("/a?key=hunter2&b=;c=d&e"), "/a?key=***&b=;c=***&e"},
		"no query":              {Request("/a/b.html"), "/a/b.html"},
		"SQL":                   {Request("/select a=1"), "/select a=1"},
		"a login in a URL":      {Request("http://bob:hunter2@h/a?b=c"), "http://bob:***@h/a?b=***"},
		"a webhook":             {URL("https://bob:x@hooks.example.com/T0/hunter2?a"), "https://hooks.example.com/***"},
		"a webhook of a host":   {URL("http://h:80/"), "http://h:80/"},
		"no webhook":            {URL(""), ""},
		"a command":             {Command("/bin/a"), "/bin/a"},
		"with arguments":        {Command("/bin/a --token hunter2"), "/bin/a ***"},
		"with a variable":       {Command("T=hunter2 /bin/a"), "/bin/a ***"},
		"with a quoted one":     {Command(`T="hunter2 x" /bin/a`), "***"},
		"a variable alone":      {Command("T=hunter2"), "***"},
		"followed by a command": {Command("a;b hunter2"), "a ***"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(struct{ Field any }{tt.secret})
			if err != nil {
				t.Fatal(err)
			}
			var back struct{ Field string }
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			for how, got := range map[string]string{
				"%v": fmt.Sprintf("%v", tt.secret), "%s": fmt.Sprintf("%s", tt.secret), "%#v": fmt.Sprintf("%#v", tt.secret),
				"in a struct": fmt.Sprintf("%+v", struct{ Field any }{tt.secret})[len("{Field:"):], "JSON": back.Field,
			} {
				if how == "in a struct" {
					got = got[:len(got)-1]
				}
				if got != tt.want {
					t.Errorf("%s is %q, want %q", how, got, tt.want)
				}
			}
		})
	}
}

func TestHide(t *testing.T) {
	for text, want := range map[string]string{
		"GET /?a=b HTTP/1.1":                 "GET /?a=*** HTTP/1.1",
		`fetched "http://h/?t=x&y" from h?`:  `fetched "http://h/?t=***&y" from h?`,
		"http://a:b@h/ and http://c@h/":      "http://a:***@h/ and http://c@h/",
		"why? because a=b":                   "why? because a=b",
		"sip:a@example.com?":                 "sip:a@example.com?",
		"http://h/?next=http://i/?x=y; done": "http://h/?next=***; done",
	} {
		if got := Hide(text); got != want {
			t.Errorf("Hide(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestSetShort is about passwords of a few letters: a mask for each such letter would
// make texts unreadable, and show the password.
func TestSetShort(t *testing.T) {
	for _, tt := range []struct{ secret, text, want string }{
		{"a", "WRONGPASS invalid username-password pair", "WRONGPASS invalid username-password pair"},
		{"a", "a PASS a", "*** PASS ***"},
		{"a", `LOGIN "bob" "a"`, `LOGIN "bob" "***"`},
		{"a", "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00bob\x00a")), "AUTH PLAIN ***"},
		{"42", "port 4242, 42 and 0x42, user:42@host", "port 4242, *** and 0x42, user:***@host"},
		{"?", "who? ?", "who? ***"},
		{"ä", "wäre ä", "wäre ***"},
		{"abc", "abcd abc", "abcd ***"},
		{"abcd", "xabcdx", "x***x"},
	} {
		var s Set
		s.Add("bob", Text(tt.secret))
		if got := s.Hide(tt.text); got != tt.want {
			t.Errorf("with the secret %q, Hide(%q) = %q, want %q", tt.secret, tt.text, got, tt.want)
		}
	}
}

// A short value, or an ordinary one without a secret's name, is masked in its own
// place and not wherever the same letters are.
func TestSetLeavesOrdinaryWords(t *testing.T) {
	var s Set
	s.AddRequest("/?a=1&format=json&id=ok")
	s.AddRequest("/?key=k123&user=somebody1")
	for text, want := range map[string]string{
		"1 json ok":                       "1 json ok",
		"k123 of somebody1":               "*** of ***",
		"GET /?a=1&format=json HTTP/1.1":  "GET /?a=***&format=*** HTTP/1.1",
		"cut at someb…, which is a begin": "cut at ***…, which is a begin",
	} {
		if got := s.Hide(text); got != want {
			t.Errorf("Hide(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSetArguments(t *testing.T) {
	var s Set
	s.AddCommand(`curl -H 'Authorization: Bearer hunter2x' --user "bob:h4 x" --max-time 10`)
	s.AddArguments([]string{"--password", "pass1", "--token=tok1", "--format", "json", "--site", "amsterdam1"})
	for text, want := range map[string]string{
		"you said hunter2x":                       "you said ***",
		"--password pass1 --format json":          "--password *** --format json",
		"the token tok1 of amsterdam1 is unknown": "the token *** of *** is unknown",
		"took 10 ms":                              "took 10 ms",
	} {
		if got := s.Hide(text); got != want {
			t.Errorf("Hide(%q) = %q, want %q", text, got, want)
		}
	}
}
