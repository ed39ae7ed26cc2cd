package checker

import "testing"

func TestNNTP(t *testing.T) {
	runDialogues(t, []dialogueTest{
		{name: "up", talker: NNTP{}, turns: []string{"200 news ready\r\n"}, sent: "QUIT\r\n"},
		{name: "no posting", talker: NNTP{}, turns: []string{"201 news ready\r\n"}, sent: "QUIT\r\n"},
		{name: "no more than it takes", talker: NNTP{}, turns: []string{"2"}, sent: "QUIT\r\n"},
		{name: "refuses", talker: NNTP{}, turns: []string{"502 no\r\n"}, err: `greeting: "502 no"`},
		{name: "refuses without a line's end", talker: NNTP{}, turns: []string{"400 full"}, err: `greeting: "400 full"`},
		{name: "says nothing", talker: NNTP{}, turns: nil, err: errClosed.Error()},
	})
}

func FuzzNNTP(f *testing.F) {
	f.Add("200 hi\r\n")
	f.Add("502 no\r\n")
	f.Add("4")
	f.Fuzz(func(t *testing.T, data string) { fuzzDialogue(t, NNTP{}.Dialogue, data) })
}
