package checker

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// echoTalk is a Talker for the driver itself: it sends "ping\n" and is up when
// a line "pong" comes back; it moves on when the line is "moved".
type echoTalk struct{ network string }

func (e echoTalk) String() string     { return "echo" }
func (e echoTalk) Target() Target     { return Target{Network: e.network} }
func (e echoTalk) Dialogue() Dialogue { return &echoDialogue{talker: e} }

type echoDialogue struct {
	talker echoTalk
	asked  bool
}

func (d *echoDialogue) Next(in []byte, _ bool) Step {
	if !d.asked {
		d.asked = true
		return Step{Send: []byte("ping\n"), CloseWrite: d.talker.network == "tcp"}
	}
	line, _, whole := bytes.Cut(in, []byte("\n"))
	switch {
	case !whole:
		return Step{}
	case string(line) == "pong":
		return Step{Consumed: len(line) + 1, Done: true, Detail: "pong"}
	case string(line) == "moved":
		return Step{Follow: d.talker}
	}
	return Step{Done: true, Err: errors.New("answered " + safetext.Excerpt(line))}
}

func TestTalk(t *testing.T) {
	var moved atomic.Bool
	tests := []struct {
		name, network string
		server        func(net.Conn)
		detail, err   string
	}{
		{"tcp up", "tcp", answerLines("", "pong\n"), "pong", ""},
		{"udp up", "udp", answerDatagram("pong\n"), "pong", ""},
		{"the verdict's error", "tcp", answerLines("", "what?\n"), "", `answered "what?"`},
		{"closes too early", "tcp", answerLines("", "po"), "", "closed the connection"},
		{"the end of sending arrives", "tcp", func(c net.Conn) {
			all, _ := io.ReadAll(c)
			io.WriteString(c, "got "+string(all))
		}, "", `answered "got ping"`},
		{"moves on", "tcp", func(c net.Conn) {
			if moved.Swap(true) {
				answerLines("", "pong\n")(c)
				return
			}
			answerLines("", "moved\n")(c)
		}, "pong", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			detail, err := talk(t, echoTalk{tt.network}, tt.server)
			if detail != tt.detail || errText(err) != tt.err {
				t.Errorf("talk = %q, %q, want %q, %q", detail, errText(err), tt.detail, tt.err)
			}
		})
	}
}

func TestSplitEverywhere(t *testing.T) {
	verdict, sent := splitEverywhere(t, echoTalk{"tcp"}.Dialogue, "pong\n")
	if verdict.Detail != "pong" || verdict.Err != nil || sent != "ping\n<no more>" {
		t.Errorf("splitEverywhere = %+v, %q", verdict, sent)
	}
	verdict, _ = splitEverywhere(t, echoTalk{"tcp"}.Dialogue, "pon")
	if !errors.Is(verdict.Err, errClosed) {
		t.Errorf("an answer without end: %v, want %v", verdict.Err, errClosed)
	}
}
