package checker

import (
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// An NNTP check is up when the first that the server sends is a positive
// greeting: it starts with 2.
type NNTP struct {
	Addr netip.AddrPort
}

// String implements Checker.
func (n NNTP) String() string { return "nntp " + n.Addr.String() }

// Target implements Talker.
func (n NNTP) Target() Target { return Target{Network: "tcp", Addr: n.Addr} }

// Dialogue implements Talker.
func (n NNTP) Dialogue() Dialogue {
	return &nntpDialogue{lineDialogue{answer: func(line string) Step {
		return down("greeting: %s", safetext.Excerpt(line))
	}}}
}

type nntpDialogue struct{ lineDialogue }

// Next implements Dialogue. The first byte decides what is up; what is down is
// waited for to its end, so that it can be shown.
func (d *nntpDialogue) Next(in []byte, eof bool) Step {
	if len(in) > 0 && in[0] == '2' {
		step := up("", "QUIT")
		step.Consumed = len(in)
		return step
	}
	if eof && len(in) > 0 {
		return d.answer(trimLine(in))
	}
	return d.lineDialogue.Next(in, eof)
}
