package checker

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var _ Talker = Agent{}

func TestParseAgent(t *testing.T) {
	tests := []struct {
		line string
		want AgentReply
		err  string
	}{
		{"up", AgentReply{Up: true, Weight: 100}, ""},
		{"UP\r\n", AgentReply{Up: true, Weight: 100}, ""},
		{"75%", AgentReply{Up: true, Weight: 75}, ""},
		{"0%", AgentReply{Up: true}, ""},
		{"150%", AgentReply{Up: true, Weight: 150}, ""},
		{"ready", AgentReply{Up: true, Weight: 100}, ""},
		{"drain", AgentReply{Up: true}, ""},
		{"drain 50%", AgentReply{Up: true}, ""},
		{"maint", AgentReply{Weight: 100}, ""},
		{"down", AgentReply{Weight: 100}, ""},
		{"fail", AgentReply{Weight: 100}, ""},
		{"failed", AgentReply{Weight: 100}, ""},
		{"stopped # disk full ", AgentReply{Weight: 100, Reason: "disk full"}, ""},
		{"ready,up\t50% maxconn:30", AgentReply{Up: true, Weight: 50, MaxConn: 30}, ""},
		{"maxconn:30 maxconn:0", AgentReply{Up: true, Weight: 100}, ""},
		{"maxconn:4294967295", AgentReply{Up: true, Weight: 100, MaxConn: 4294967295}, ""},
		{"maxconn:4294967296", AgentReply{Up: true, Weight: 100}, ""},
		{"maxconn:-1 75%", AgentReply{Up: true, Weight: 75}, ""},
		{"maxconn:", AgentReply{Up: true, Weight: 100}, ""},
		{"up maint", AgentReply{Weight: 100}, ""},
		{"drain ready", AgentReply{Up: true, Weight: 100}, ""},
		{"maint drain", AgentReply{Up: true}, ""},
		{"down up", AgentReply{Up: true, Weight: 100}, ""},
		{"10% 20%", AgentReply{Up: true, Weight: 20}, ""},
		{"", AgentReply{}, "the agent's line is empty"},
		{" , ", AgentReply{}, "the agent's line is empty"},
		{"# down", AgentReply{}, "the agent's line is empty"},
		{"sideways", AgentReply{}, `"sideways" is no word of an agent`},
		{"up -5%", AgentReply{}, `"-5%" is no word of an agent`},
		{"up 5", AgentReply{}, `"5" is no word of an agent`},
		{"%", AgentReply{}, `"%" is no word of an agent`},
		{"25601%", AgentReply{}, `"25601%" is no word of an agent`},
		{"99999999999999999999%", AgentReply{}, `"99999999999999999999%" is no word of an agent`},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			got, err := ParseAgent(tt.line)
			if diff := cmp.Diff(tt.want, got); diff != "" || errText(err) != tt.err {
				t.Errorf("ParseAgent(%q): error %v, want %q; reply (-want +got):\n%s", tt.line, err, tt.err, diff)
			}
		})
	}
}

// Agents answer with a line, with or without an end, cut at every byte.
func TestAgent(t *testing.T) {
	tests := []struct{ name, answer, detail, err string }{
		{"a weight", "75%\n", "up 75%", ""},
		{"more lines", "up 50%\r\ndown\n", "up 50%", ""},
		{"connections", "50% maxconn:30 # busy\n", "up 50% maxconn:30 # busy", ""},
		{"no line end", "drain", "up 0%", ""},
		{"down", "down # disk \x1bfull\n", `down 100% # disk \x1bfull`, `agent reports "down # disk \x1bfull"`},
		{"maintenance", "maint\n", "down 100%", `agent reports "maint"`},
		{"an unknown word", "go \x1bsideways\n", `"go \x1bsideways"`, `no words of an agent: "go \x1bsideways"`},
		{"an empty line", "\n", "", "the agent's line is empty"},
		{"nothing", "", "", "the agent's line is empty"},
		{"too long", strings.Repeat("up ", 500) + "\n", `"` + strings.Repeat("up ", 20) + `…"`, `no words of an agent: "` + strings.Repeat("up ", 20) + `…"`},
	}
	a := Agent{Addr: netip.MustParseAddrPort("10.1.0.3:9707"), Request: "hello\\n"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdict, sent := splitEverywhere(t, a.Dialogue, tt.answer)
			if verdict.Detail != tt.detail || errText(verdict.Err) != tt.err || sent != "hello\n" {
				t.Errorf("%q, %v, sent %q, want %q, %q", verdict.Detail, verdict.Err, sent, tt.detail, tt.err)
			}
			if tt.detail == "" || tt.detail[0] == '"' {
				return
			}
			reply, err := ParseAgent(verdict.Detail)
			if err != nil || reply.Up != (verdict.Err == nil) {
				t.Errorf("ParseAgent of the detail %q: %+v, %v", verdict.Detail, reply, err)
			}
		})
	}
	if got, want := a.String(), "agent at 10.1.0.3:9707"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if detail, err := talk(t, Agent{}, answerLines("up 30%\n")); detail != "up 30%" || err != nil {
		t.Errorf("an agent on a socket: %q, %v, want up 30%%", detail, err)
	}
}

func FuzzParseAgent(f *testing.F) {
	f.Add("up 75% # all is well")
	f.Add("drain,maxconn:30")
	f.Fuzz(func(t *testing.T, line string) {
		reply, err := ParseAgent(line)
		if err != nil {
			return
		}
		again, err := ParseAgent(reply.String())
		if err != nil || again.Up != reply.Up || again.Weight != reply.Weight || again.MaxConn != reply.MaxConn {
			t.Errorf("%q is %+v, and its String %q is %+v, %v", line, reply, reply, again, err)
		}
	})
}
