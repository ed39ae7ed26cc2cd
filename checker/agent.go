package checker

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// An Agent check asks a program on the real server how it does: it connects,
// may send a request, and reads one line in the language of HAProxy's
// agent-check. It is up unless the line says otherwise.
//
// The detail is the AgentReply, as its String writes it and ParseAgent reads
// it, also when it says down.
type Agent struct {
	Addr    netip.AddrPort
	Request string // is sent first; as for SimpleTCP, "" is nothing
}

// An AgentReply is what an agent says of its server.
type AgentReply struct {
	Up     bool
	Weight int    // percent of the configured weight; 0 is no new connections
	Reason string // what stood behind "#", "" is nothing
}

// String is a line that says the same: "up 75%" or "down 100% # disk full".
func (r AgentReply) String() string {
	line := "down"
	if r.Up {
		line = "up"
	}
	line += fmt.Sprintf(" %d%%", r.Weight)
	if r.Reason != "" {
		reason := safetext.Excerpt(r.Reason)
		line += " # " + reason[1:len(reason)-1]
	}
	return line
}

// maxAgentWeight is HAProxy's limit for a percentage.
const maxAgentWeight = 25600

// ParseAgent reads a line like "75%", "drain", "up 50%", or "down # disk full".
// Words may be separated by blanks and commas; of several words that say the
// same kind of thing the last counts. drain is up with a weight of 0, maint is
// down. ready and maxconn, which set what there is none of here, are taken for
// up.
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
			weight, ok := agentWeight(word)
			if !ok && !strings.HasPrefix(word, "maxconn:") {
				return AgentReply{}, fmt.Errorf("agent says %s", safetext.Excerpt(word))
			}
			if ok {
				reply.Weight = weight
			}
		}
	}
	if !said {
		return AgentReply{}, fmt.Errorf("agent says nothing")
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
	asked bool
}

// maxAgentLine is how long the line may be.
const maxAgentLine = 1024

// Next implements Dialogue. The end of the connection ends the line, too.
func (d *agentDialogue) Next(in []byte, eof bool) Step {
	if !d.asked {
		d.asked = true
		return Step{Send: []byte(simpleRequest(d.Request))}
	}
	line := in
	if end := bytes.IndexAny(in, "\r\n"); end >= 0 {
		line, eof = in[:end], true
	}
	switch {
	case len(line) > maxAgentLine:
		return down("no line of an agent: %s", safetext.Excerpt(line))
	case !eof:
		return Step{}
	}
	reply, err := ParseAgent(string(line))
	if err != nil {
		return Step{Done: true, Err: err}
	}
	step := Step{Done: true, Detail: reply.String()}
	if !reply.Up {
		step.Err = fmt.Errorf("agent says %s", safetext.Excerpt(line))
	}
	return step
}
