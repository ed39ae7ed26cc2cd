//go:build !nooracle

package checker

import (
	"encoding/binary"
	"net"
)

const errNotTNS connError = "not an Oracle listener's answer"

const (
	tnsHeaderLen     = 8
	tnsAccept        = 2   // the type of the packet that ends the handshake
	tnsAcceptLen     = 32  // of one without data
	tnsWide          = 315 // the protocol version from which lengths have 32 bits
	tnsWideAcceptLen = 40  // of an accept packet from then on
)

// A tnsConn looks at the packet lengths in what a listener sends before the
// client library does: the library reserves memory for whatever length is
// announced, 4 GiB for one that is too small for its own header, and a program
// that does not get its memory ends. An accept packet that contradicts itself has
// the library panic with a lock held, for which a goroutine of its own may wait
// for ever.
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
		if c.head[4] == tnsAccept && !c.accept(length) {
			return false
		}
		c.left = length - len(c.head)
		c.head = c.head[:0]
	}
	return true
}

// accept looks at an accept packet and reports whether it is whole: its data are
// where and as long as it says.
func (c *tnsConn) accept(length int) bool {
	version := binary.BigEndian.Uint16(c.head[8:])
	dataLen := int(binary.BigEndian.Uint16(c.head[18:]))
	dataOffset := int(binary.BigEndian.Uint16(c.head[20:]))
	c.wide = version >= tnsWide
	return dataOffset+dataLen == length && (!c.wide || length >= tnsWideAcceptLen)
}

// headLen is how much of the packet has to be looked at.
func (c *tnsConn) headLen() int {
	if c.head[4] == tnsAccept {
		return tnsAcceptLen
	}
	return tnsHeaderLen
}

func (c *tnsConn) length() int {
	if c.wide {
		return int(binary.BigEndian.Uint32(c.head))
	}
	return int(binary.BigEndian.Uint16(c.head))
}
