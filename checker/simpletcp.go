package checker

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A SimpleTCP check sends a request, closes its sending side, and is up when one
// line of the answer matches.
type SimpleTCP struct {
	Addr    netip.AddrPort
	Request string          // \n in it is a newline; the "/" that the configuration puts in front is dropped
	Receive *perlre.Pattern // nil and the empty pattern still need a line
	Drain   *perlre.Pattern // a line that matches it wants no new connections; nil is none
	Limit   int             // bytes of the answer to read, 0 is 1 MiB
}

// String implements Checker.
func (s SimpleTCP) String() string {
	return "simpletcp " + safetext.Excerpt(simpleRequest(s.Request)) + " to " + s.Addr.String()
}

// simpleRequest is the text to send for a configured request.
func simpleRequest(request string) string {
	return strings.ReplaceAll(strings.TrimPrefix(request, "/"), `\n`, "\n")
}

// Target implements Talker.
func (s SimpleTCP) Target() Target {
	return Target{Network: "tcp", Addr: s.Addr, Slow: s.Receive.Slow() || s.Drain.Slow()}
}

// Dialogue implements Talker.
func (s SimpleTCP) Dialogue() Dialogue {
	if s.Limit <= 0 {
		s.Limit = defaultLimit
	}
	return &simpleTCPDialogue{SimpleTCP: s}
}

type simpleTCPDialogue struct {
	SimpleTCP
	sent  bool
	seen  int    // bytes of the lines so far
	first string // an excerpt of the first line
	line  []byte // the part of the current line received so far
}

// Next implements Dialogue.
func (d *simpleTCPDialogue) Next(in []byte, eof bool) Step {
	if !d.sent {
		d.sent = true
		return Step{Send: []byte(simpleRequest(d.Request)), CloseWrite: true}
	}
	rest := in[:min(len(in), d.Limit-d.seen-len(d.line))]
	for {
		line, after, whole := bytes.Cut(rest, newline)
		if !whole {
			break
		}
		// With its end, as Perl reads lines: a pattern may include it.
		if step := d.match(append(d.line, rest[:len(line)+1]...)); step.Done {
			return step
		}
		d.line, rest = d.line[:0], after
	}
	d.line = append(d.line, rest...)
	if !eof && d.seen+len(d.line) < d.Limit {
		return Step{Consumed: len(in)}
	}
	return d.end()
}

// end is the verdict at the end of the answer: the last line needs no line end.
func (d *simpleTCPDialogue) end() Step {
	if len(d.line) > 0 {
		if step := d.match(d.line); step.Done {
			return step
		}
	}
	if d.seen == 0 {
		return down("closed the connection without an answer")
	}
	return down("receive %s not found in any line of %d bytes: %s", safetext.Excerpt(d.Receive.String()), d.seen, d.first)
}

// match is Done if line matches.
func (d *simpleTCPDialogue) match(line []byte) Step {
	if d.seen == 0 {
		d.first = safetext.Excerpt(line)
	}
	d.seen += len(line)
	if err := drained(d.Drain, line); err != nil {
		return Step{Done: true, Err: err}
	}
	if d.Receive == nil {
		return up("", "")
	}
	matched, err := d.Receive.Match(line)
	if err != nil || matched {
		return Step{Done: true, Err: err}
	}
	return Step{}
}
