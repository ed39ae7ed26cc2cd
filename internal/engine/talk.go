package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"sync"
	"time"

	"ldirectord/checker"
)

// maxFollows is how often one check may be sent elsewhere.
const maxFollows = 10

// A conversation is one attempt to ask a Talker, over one socket after another
// where it is sent elsewhere, all under one deadline.
type conversation struct {
	engine   *Engine
	ctx      context.Context
	timeout  time.Duration
	deadline time.Time

	target  checker.Target
	socket  *socket
	secure  *tls.Conn // over socket, nil in the clear
	in      inbox
	phase   phase
	partial int // bytes received since something was sent

	last  []byte    // udp: the datagram sent last
	again time.Time // udp: when it is sent again

	step           checker.Step // the Dialogue's last word
	sent, received excerpt
}

// conversations are those that are over, for use again.
var conversations = sync.Pool{New: func() any { return new(conversation) }}

// talk makes one attempt to ask t and fills in what r says of it.
func (e *Engine) talk(ctx context.Context, t checker.Talker, timeout time.Duration, r *Result) {
	c := conversations.Get().(*conversation)
	*c = conversation{engine: e, ctx: ctx, timeout: timeout, deadline: time.Now().Add(timeout)}
	r.Detail, r.Err = c.ask(t)
	r.Sent, r.Received = nil, nil
	if r.Err != nil || e.trace {
		r.Sent, r.Received = c.sent.take(), c.received.take()
	}
	c.sent.release()
	c.received.release()
	*c = conversation{} // what it points at is free
	conversations.Put(c)
}

// ask asks t and whoever it is sent to.
func (c *conversation) ask(t checker.Talker) (detail string, err error) {
	defer func() {
		if p := recover(); p != nil {
			detail, err = "", broken(p)
		}
	}()
	for range 1 + maxFollows {
		if err := c.visit(t); err != nil {
			return "", err
		}
		if c.step.Follow == nil {
			return c.step.Detail, c.step.Err
		}
		t = c.step.Follow
	}
	return "", errTooFar
}

// visit connects to where t wants to be and talks. The error is that of the
// connection and not the Dialogue's verdict.
func (c *conversation) visit(t checker.Talker) error {
	defer c.leave()
	c.target = t.Target()
	err := c.arrive()
	if err == nil {
		err = c.converse(t.Dialogue())
	}
	return c.reason(err)
}

// arrive connects to the target.
func (c *conversation) arrive() error {
	c.phase = connecting
	addr, err := c.addr()
	if err != nil {
		return err
	}
	c.socket, err = c.engine.connect(c.ctx, c.target.Network, addr, c.deadline)
	if err != nil {
		return err
	}
	c.phase, c.partial, c.last = talking, 0, nil
	c.in.pool = &streamBuffers
	if c.isUDP() {
		c.in.pool = &datagramBuffers
	}
	if c.target.TLS != nil {
		return c.startTLS(c.target.TLS)
	}
	return nil
}

func (c *conversation) isUDP() bool { return c.target.Network == "udp" }

// addr is the target's address, looked up if it is a name.
func (c *conversation) addr() (netip.AddrPort, error) {
	host := c.target.Host
	if host == "" {
		return c.target.Addr, nil
	}
	ctx, cancel := context.WithDeadline(c.ctx, c.deadline)
	defer cancel()
	ips, err := c.engine.resolver.LookupNetIP(ctx, "ip", host)
	switch {
	case ctx.Err() != nil:
		return netip.AddrPort{}, unresolved(host, noAnswer(c.timeout, talking))
	case err != nil:
		return netip.AddrPort{}, unresolved(host, err)
	case len(ips) == 0:
		return netip.AddrPort{}, unresolved(host, errNoAddress)
	}
	return netip.AddrPortFrom(ips[0], c.target.Addr.Port()), nil
}

// leave ends the connection, if there is one.
func (c *conversation) leave() {
	c.in.release()
	if c.secure != nil {
		_ = c.secure.Close() // says goodbye and closes the socket under it
		c.secure, c.socket = nil, nil
	}
	if c.socket != nil {
		_ = c.socket.Close() // the verdict stands already
		c.socket = nil
	}
}

// converse runs d until it is done or goes on elsewhere, as step then says. No
// Dialogue at all is up.
func (c *conversation) converse(d checker.Dialogue) error {
	c.step = checker.Step{Done: true}
	if d == nil {
		return nil
	}
	gone := ErrClosed
	for eof := false; ; {
		c.step = d.Next(c.in.data, eof)
		c.in.consume(c.step.Consumed)
		err := c.send()
		switch {
		case c.step.Done || c.step.Follow != nil:
			return nil // an answer to what was sent last is not awaited
		case errors.Is(err, ErrClosed) || errors.Is(err, ErrReset):
			gone = err // what the peer said before can still be read, and explains more
		case err != nil:
			return err
		}
		if eof {
			return gone
		}
		if eof, err = c.await(); err != nil {
			return err
		}
	}
}

// await waits for what is to happen before the next Step.
func (c *conversation) await() (eof bool, err error) {
	switch {
	case c.step.StartTLS != nil:
		return false, c.startTLS(c.step.StartTLS)
	case c.isUDP():
		return false, c.receiveDatagram(c.step.Send)
	}
	return c.receive()
}

// send does what the step says about sending.
func (c *conversation) send() error {
	var err error
	if len(c.step.Send) > 0 {
		c.partial = 0
		c.sent.add(c.step.Send)
		err = c.write(c.step.Send)
	}
	if err == nil && c.step.CloseWrite {
		err = c.closeWrite()
	}
	return err
}

func (c *conversation) write(b []byte) error {
	if c.secure != nil {
		_, err := c.secure.Write(b)
		return fromTLS(err, talking)
	}
	return fromPeer(c.socket.write(b))
}

func (c *conversation) closeWrite() error {
	if c.secure != nil {
		return fromTLS(c.secure.CloseWrite(), talking)
	}
	return fromPeer(c.socket.closeWrite())
}

// receive waits until more has come, or the peer's end.
func (c *conversation) receive() (eof bool, err error) {
	if len(c.in.data) >= mostUnread {
		return false, errTooLong
	}
	var n int
	if c.secure != nil {
		n, err = c.secure.Read(c.in.room())
		c.got(c.in.add(n))
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		return false, fromTLS(err, talking)
	}
	n, err = c.socket.read(&c.in)
	c.got(c.in.add(n))
	return n == 0 && err == nil, fromPeer(err)
}

// got takes note of what was received.
func (c *conversation) got(b []byte) {
	c.partial += len(b)
	c.received.add(b)
}

// reason is what err means to a person if it is that of a deadline.
func (c *conversation) reason(err error) error {
	switch {
	case err == nil || !isTimeout(err):
		return err
	case c.partial > 0:
		return noEnd(c.timeout, c.partial)
	}
	return noAnswer(c.timeout, c.phase)
}
