package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// What may wait or compute for long is done in a goroutine of its own, which
// then goes on as the loop would.

// alone has step go on with the conversation in such a goroutine. c must not be
// touched any more.
func (c *conversation) alone(step func()) {
	c.crowd = nil // which belongs to the goroutine that left c
	go c.engine.alone(step)
}

// lookUp looks up the name of the target and connects to its first address.
func (c *conversation) lookUp() {
	addr, err := c.address()
	if err != nil {
		c.left(err)
		return
	}
	c.open(addr)
}

// address is the address of the target's name.
func (c *conversation) address() (netip.AddrPort, error) {
	host := c.target.Host
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

// judge lets the Dialogue process the received bytes, which may take long.
func (c *conversation) judge() {
	if c.turn() {
		c.listen()
	}
}

// talkAlone shakes hands over the socket and then talks over TLS to the end of
// the visit.
func (c *conversation) talkAlone(config *tls.Config) {
	c.engine.loop.release(c.socket)
	err := c.startTLS(config)
	if err == nil {
		err = c.converse()
	}
	c.left(err)
}

// startTLS shakes hands over the present socket. From then on everything goes
// through TLS.
func (c *conversation) startTLS(config *tls.Config) error {
	if len(c.in.data) > 0 {
		// Plain text must not count as received under TLS.
		return errBeforeTLS
	}
	c.phase, c.partial = handshaking, 0
	if err := c.socket.poll(c.ctx, c.deadline); err != nil {
		return err
	}
	secure := tls.Client(tlsSocket{c.socket}, config)
	if err := secure.Handshake(); err != nil {
		return fromHandshake(err, config)
	}
	c.secure, c.phase = secure, talking
	return nil
}

// converse runs the dialogue over TLS until it is done or follows a redirect, as in
// step.
func (c *conversation) converse() error {
	if c.dialogue == nil {
		err := c.guard(func() error { c.enter(); return nil })
		if err != nil || c.dialogue == nil {
			return err
		}
	}
	for {
		over, err := c.next()
		if over {
			return err
		}
		if err := c.receiveSecurely(); err != nil {
			return err
		}
	}
}

// sendSecurely executes the sending part of the step.
func (c *conversation) sendSecurely() error {
	n, err := c.secure.Write(c.step.Send)
	c.sent.add(c.step.Send[:n])
	if err == nil && c.step.CloseWrite {
		err = c.secure.CloseWrite()
	}
	return fromTLS(err, talking)
}

// receiveSecurely waits until more has come, or the peer's end.
func (c *conversation) receiveSecurely() error {
	if len(c.in.data) >= mostUnread {
		return errTooLong
	}
	n, err := c.secure.Read(c.in.room())
	c.got(c.in.add(n))
	if errors.Is(err, io.EOF) {
		c.eof = true
		return nil
	}
	err = fromTLS(err, talking)
	if err != nil && c.ended(err) {
		return nil
	}
	return err
}

// A tlsSocket is a socket as crypto/tls wants it. Its deadline stays the
// check's: crypto/tls would give its goodbye five seconds of its own.
type tlsSocket struct{ *socket }

// Read implements net.Conn.
func (s tlsSocket) Read(b []byte) (int, error) { return s.file.Read(b) }

// Write implements net.Conn.
func (s tlsSocket) Write(b []byte) (int, error) { return s.file.Write(b) }

// LocalAddr implements net.Conn; crypto/tls does not call it.
func (s tlsSocket) LocalAddr() net.Addr { return nil }

// RemoteAddr implements net.Conn; crypto/tls does not call it.
func (s tlsSocket) RemoteAddr() net.Addr { return nil }

// SetDeadline implements net.Conn and does nothing.
func (s tlsSocket) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn and does nothing.
func (s tlsSocket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn and does nothing.
func (s tlsSocket) SetWriteDeadline(time.Time) error { return nil }
