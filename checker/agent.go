package checker

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// An Agent check queries an agent program on the real server: it connects, may send
// a request, and reads one line in the format of HAProxy's agent-check. The real
// server is up unless the line reports otherwise.
//
// The detail is the AgentReply in the form that String writes and ParseAgent reads,
// for a reply of down too. Of another line it is the beginning in quotes, of an empty one it is "".
type Agent struct {
	Addr    netip.AddrPort
	Request string // is sent first, in the form of SimpleTCP; "" sends nothing
}

// An AgentReply is the state that an agent reports for its server.
type AgentReply struct {
	Up      bool
	Weight  int    // percent of the configured weight; 0 is no new connections
	MaxConn uint32 // connections at most, 0 is what the configuration has
	Reason  string // the text behind "#", "" if none
}

// String writes the reply as an agent would: "up 75%" or "down 100% # disk full".
func (r AgentReply) String() string {
	line := "down"
	if r.Up {
		line = "up"
	}
	line += fmt.Sprintf(" %d%%", r.Weight)
	if r.MaxConn > 0 {
		line += fmt.Sprintf(" maxconn:%d", r.MaxConn)
	}
	if r.Reason != "" {
		reason := safetext.Excerpt(r.Reason)
		line += " # " + reason[1:len(reason)-1]
	}
	return line
}

// maxAgentWeight is HAProxy's limit for a percentage.
const maxAgentWeight = 25600

// ParseAgent reads a line like "75%", "drain", "up 50%", or "down # disk full".
// Words may be separated by blanks and commas; the last of several words of one
// kind counts. drain means up with weight 0, maint means down. ready has no counterpart
// here and counts as up; a maxconn that is no number is none, as in HAProxy.
func ParseAgent(line string) (AgentReply, error) {
	words, reason, _ := strings.Cut(line, "#")
	reply := AgentReply{Up: true, Weight: 100, Reason: strings.TrimSpace(reason)}
	said, drain, maint := false, false, false
	for _, word := range strings.FieldsFunc(strings.ToLower(words), isAgentBlank) {
		said = true
		switch word {
		case "up":
			reply.Up = true
		case "down", "fail", "failed", "stopped":
			reply.Up = false
		case "ready":
			drain, maint = false, false
		case "drain":
			drain, maint = true, false
		case "maint":
			drain, maint = false, true
		default:
			if most, ok := strings.CutPrefix(word, "maxconn:"); ok {
				if n, err := strconv.ParseUint(most, 10, 32); err == nil {
					reply.MaxConn = uint32(n)
				}
				continue
			}
			weight, ok := agentWeight(word)
			if !ok {
				return AgentReply{}, fmt.Errorf("%s is no word of an agent", safetext.Excerpt(word))
			}
			reply.Weight = weight
		}
	}
	if !said {
		return AgentReply{}, errors.New("the agent's line is empty")
	}
	if drain {
		reply.Weight = 0
	}
	reply.Up = reply.Up && !maint
	return reply, nil
}

func isAgentBlank(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) }

// agentWeight reads "75%".
func agentWeight(word string) (int, bool) {
	digits, ok := strings.CutSuffix(word, "%")
	weight, err := strconv.ParseUint(digits, 10, 32)
	return int(weight), ok && err == nil && weight <= maxAgentWeight
}

// String implements Checker.
func (a Agent) String() string { return "agent at " + a.Addr.String() }

// Target implements Talker.
func (a Agent) Target() Target { return Target{Network: "tcp", Addr: a.Addr} }

// Dialogue implements Talker.
func (a Agent) Dialogue() Dialogue { return &agentDialogue{Agent: a} }

type agentDialogue struct {
	Agent
	sent bool
}

// maxAgentLine limits the length of the line.
const maxAgentLine = 1024

// Next implements Dialogue. The end of the connection also ends the line.
func (d *agentDialogue) Next(in []byte, eof bool) Step {
	if !d.sent {
		d.sent = true
		return Step{Send: []byte(simpleRequest(d.Request))}
	}
	line := in
	if end := bytes.IndexAny(in, "\r\n"); end >= 0 {
		line, eof = in[:end], true
	}
	switch {
	case len(line) > maxAgentLine:
		return nonsense(line)
	case !eof:
		return Step{}
	}
	reply, err := ParseAgent(string(line))
	if err != nil {
		return nonsense(line)
	}
	step := Step{Done: true, Detail: reply.String()}
	if !reply.Up {
		step.Err = fmt.Errorf("agent reports %s", safetext.Excerpt(line))
	}
	return step
}

// nonsense is the end of a dialogue with a line that is no reply.
func nonsense(line []byte) Step {
	if len(bytes.TrimSpace(line)) == 0 {
		return Step{Done: true, Err: errors.New("the agent's line is empty")}
	}
	said := safetext.Excerpt(line)
	return Step{Done: true, Detail: said, Err: fmt.Errorf("no words of an agent: %s", said)}
}
