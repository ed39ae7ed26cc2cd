package checker

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A SimpleUDP check sends one datagram and is up when the answer matches.
type SimpleUDP struct {
	Addr    netip.AddrPort
	Request string          // as for SimpleTCP
	Receive *perlre.Pattern // nil matches any answer
	Drain   *perlre.Pattern // an answer that matches it wants no new connections; nil is none
}

// simpleUDPResend is the time after which an unanswered request is sent again:
// datagrams get lost.
const simpleUDPResend = time.Second

// String implements Checker.
func (s SimpleUDP) String() string {
	return "simpleudp " + safetext.Excerpt(simpleRequest(s.Request)) + " to " + s.Addr.String()
}

// Target implements Talker.
func (s SimpleUDP) Target() Target {
	return Target{Network: "udp", Addr: s.Addr, Resend: simpleUDPResend, Slow: s.Receive.Slow() || s.Drain.Slow()}
}

// Dialogue implements Talker.
func (s SimpleUDP) Dialogue() Dialogue { return &simpleUDPDialogue{SimpleUDP: s} }

type simpleUDPDialogue struct {
	SimpleUDP
	sent bool
}

// Next implements Dialogue.
func (d *simpleUDPDialogue) Next(in []byte, _ bool) Step {
	if !d.sent {
		d.sent = true
		return Step{Send: []byte(simpleRequest(d.Request))}
	}
	return Step{Done: true, Err: judged(d.Receive, d.Drain, in)}
}
