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

// A step that may wait or compute for long runs in a goroutine of its own, which
// then goes on as the loop would.

// alone runs step in such a goroutine. r must not be touched any more.
func (r *run) alone(step func()) {
	r.wait.batch = nil // it belongs to the caller's goroutine
	go r.engine.alone(step)
}

// lookUp looks up the name of the target and connects to its first address.
func (r *run) lookUp() {
	addr, err := r.address()
	if err != nil {
		r.endConnection(err)
		return
	}
	r.open(addr)
}

// address returns the address of the target's name.
func (r *run) address() (netip.AddrPort, error) {
	target := &r.conn.target
	ctx, cancel := context.WithDeadline(r.ctx, r.attempt.deadline)
	defer cancel()
	ips, err := r.engine.resolver.LookupNetIP(ctx, "ip", target.Host)
	switch {
	case ctx.Err() != nil:
		return netip.AddrPort{}, unresolved(target.Host, noAnswer(r.timeout, talking))
	case err != nil:
		return netip.AddrPort{}, unresolved(target.Host, err)
	case len(ips) == 0:
		return netip.AddrPort{}, unresolved(target.Host, errNoAddress)
	}
	return netip.AddrPortFrom(ips[0], target.Addr.Port()), nil
}

// judge lets the Dialogue process the received bytes, which may take long.
func (r *run) judge() {
	if r.takeStep() {
		r.receive()
	}
}

// talkAlone shakes hands over the socket and then runs the Dialogue over TLS until
// the connection ends.
func (r *run) talkAlone(config *tls.Config) {
	c := &r.conn
	r.engine.loop.release(c.socket)
	err := c.startTLS(r.ctx, r.attempt.deadline, config)
	if err == nil {
		err = c.talkSecurely()
	}
	r.endConnection(err)
}

// startTLS shakes hands over the socket. From then on all bytes go through TLS, and
// each operation ends by the deadline, or when ctx does.
func (c *connection) startTLS(ctx context.Context, deadline time.Time, config *tls.Config) error {
	if len(c.in.data) > 0 {
		// Plain text must not count as received under TLS.
		return errBeforeTLS
	}
	c.phase, c.partial = handshaking, 0
	if err := c.socket.poll(ctx, deadline); err != nil {
		return err
	}
	secure := tls.Client(tlsSocket{c.socket}, config)
	if err := secure.Handshake(); err != nil {
		return fromHandshake(err, config)
	}
	c.secure, c.phase = secure, talking
	return nil
}

// talkSecurely runs the Dialogue over TLS until its verdict or a redirect, both of
// which are in step, or until the connection fails.
func (c *connection) talkSecurely() error {
	if c.dialogue == nil {
		err := guard(func() error { c.enter(); return nil })
		if err != nil || c.dialogue == nil {
			return err
		}
	}
	for {
		over, err := c.takeStep()
		if over {
			return err
		}
		if err := c.receiveSecurely(); err != nil {
			return err
		}
	}
}

// sendSecurely executes the sending part of the step.
func (c *connection) sendSecurely() error {
	n, err := c.secure.Write(c.step.Send)
	c.excerpts.sent.add(c.step.Send[:n])
	if err == nil && c.step.CloseWrite {
		err = c.secure.CloseWrite()
	}
	return fromTLS(err, talking)
}

// receiveSecurely waits until more bytes have come, or the peer's end.
func (c *connection) receiveSecurely() error {
	if len(c.in.data) >= mostUnread {
		return errTooLong
	}
	n, err := c.secure.Read(c.in.room())
	c.received(c.in.add(n))
	if errors.Is(err, io.EOF) {
		c.eof = true
		return nil
	}
	err = fromTLS(err, talking)
	if err != nil && c.endsAnswer(err) {
		return nil
	}
	return err
}

// A tlsSocket is a socket for crypto/tls. It keeps the deadline of the
// attempt: crypto/tls would allow five seconds for its close_notify.
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
