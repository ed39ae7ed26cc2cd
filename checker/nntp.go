package checker

import (
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// An NNTP check is up when the server begins with a positive greeting: its first
// byte is 2.
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

// Next implements Dialogue. The first byte decides for up; a refusal is read to the
// end of its line for the error.
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
