package checker

import "testing"

func TestMemcached(t *testing.T) {
	runDialogues(t, []dialogueTest{
		{
			name: "up", talker: Memcached{}, turns: []string{"VERSION 1.6.18\r\n"},
			sent: "version\r\nquit\r\n", detail: `version "1.6.18"`,
		},
		{
			name: "wants something else", talker: Memcached{}, turns: []string{"ERROR\r\n"},
			sent: "version\r\n", err: `version: "ERROR"`,
		},
		{name: "says nothing", talker: Memcached{}, turns: nil, sent: "version\r\n", err: errClosed.Error()},
	})
}

func FuzzMemcached(f *testing.F) {
	f.Add("VERSION 1\r\n")
	f.Add("ERROR\r\n")
	f.Fuzz(func(t *testing.T, data string) { fuzzDialogue(t, Memcached{}.Dialogue, data) })
}
