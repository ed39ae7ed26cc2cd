package engine

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// startTLS shakes hands over the present socket. From then on everything goes
// through TLS.
func (c *conversation) startTLS(config *tls.Config) error {
	if len(c.in.data) > 0 {
		// Whatever came in the clear must not pass for said under TLS.
		return errBeforeTLS
	}
	c.phase, c.partial = handshaking, 0
	if err := errors.Join(c.socket.noDelay(), c.socket.poll()); err != nil {
		return err
	}
	secure := tls.Client(tlsSocket{c.socket}, config)
	if err := secure.Handshake(); err != nil {
		return fromTLS(err, handshaking)
	}
	c.secure, c.phase = secure, talking
	return nil
}

// A tlsSocket is a socket as crypto/tls wants it. Its deadline stays the
// check's: crypto/tls would give its goodbye five seconds of its own.
type tlsSocket struct{ *socket }

// Read implements net.Conn.
func (s tlsSocket) Read(b []byte) (int, error) { return s.file.Read(b) }

// Write implements net.Conn.
func (s tlsSocket) Write(b []byte) (int, error) { return s.file.Write(b) }

// LocalAddr implements net.Conn; nobody asks for it.
func (s tlsSocket) LocalAddr() net.Addr { return nil }

// RemoteAddr implements net.Conn; nobody asks for it.
func (s tlsSocket) RemoteAddr() net.Addr { return nil }

// SetDeadline implements net.Conn and does nothing.
func (s tlsSocket) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn and does nothing.
func (s tlsSocket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn and does nothing.
func (s tlsSocket) SetWriteDeadline(time.Time) error { return nil }
