//go:build !nooracle

package checker

import (
	"encoding/binary"
	"net"
)

const errNotTNS connError = "not an Oracle listener's answer"

const (
	tnsHeaderLen = 8
	tnsAccept    = 2   // the type of the packet that ends the handshake
	tnsWide      = 315 // the protocol version from which lengths have 32 bits
)

// A tnsConn looks at the packet lengths in what a listener sends before the
// client library does: the library reserves memory for whatever length is
// announced, 4 GiB for one that is too small for its own header, and a program
// that does not get its memory ends.
type tnsConn struct {
	net.Conn
	dialer *dialer

	head []byte // of the packet that is being received, until it is whole
	left int    // bytes of its body that are not here yet
	wide bool   // lengths have 32 bits
}

// Read implements net.Conn.
func (c *tnsConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.follow(b[:n]) {
		return 0, c.dialer.note(errNotTNS)
	}
	return n, err
}

// follow goes through what was received and reports whether every packet in it
// has a length that can be.
func (c *tnsConn) follow(received []byte) bool {
	for len(received) > 0 {
		if c.left > 0 {
			n := min(c.left, len(received))
			c.left -= n
			received = received[n:]
			continue
		}
		c.head = append(c.head, received[0])
		received = received[1:]
		if len(c.head) < tnsHeaderLen {
			continue
		}
		length := c.length()
		if length < c.headLen() || length > maxAnswer {
			return false
		}
		if len(c.head) < c.headLen() {
			continue
		}
		if c.head[4] == tnsAccept {
			c.wide = binary.BigEndian.Uint16(c.head[tnsHeaderLen:]) >= tnsWide
		}
		c.left = length - len(c.head)
		c.head = c.head[:0]
	}
	return true
}

// headLen is how much of the packet has to be looked at: of an accept packet
// also the version.
func (c *tnsConn) headLen() int {
	if c.head[4] == tnsAccept {
		return tnsHeaderLen + 2
	}
	return tnsHeaderLen
}

func (c *tnsConn) length() int {
	if c.wide {
		return int(binary.BigEndian.Uint32(c.head))
	}
	return int(binary.BigEndian.Uint16(c.head))
}
