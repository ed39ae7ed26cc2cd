//go:build !nooracle

package checker

import (
	"encoding/binary"
	"net"
)

const errNotTNS connError = "not an Oracle listener's answer"

const (
	tnsHeaderLen     = 8
	tnsAccept        = 2   // the packet type that ends the handshake
	tnsAcceptLen     = 32  // length of the header of one without data
	tnsWide          = 315 // the protocol version from which lengths have 32 bits
	tnsWideAcceptLen = 40  // length of the header from that version on
)

// A tnsConn validates the packet lengths of a listener before the client library
// reads them: the library allocates any announced length, and 4 GiB for a length
// too small for its own header; a program that does not get its memory ends. On a
// contradictory accept packet the library panics while it holds a lock, for which
// another goroutine of it may wait for ever.
type tnsConn struct {
	net.Conn
	dialer *dialer

	head []byte // of the packet being received, until it is complete
	left int    // bytes of its body still to come
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

// follow parses the received bytes and reports whether every packet in them has a
// valid length.
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

// accept parses an accept packet and reports whether it is consistent: its data lie
// inside the packet.
func (c *tnsConn) accept(length int) bool {
	version := binary.BigEndian.Uint16(c.head[8:])
	dataLen := int(binary.BigEndian.Uint16(c.head[18:]))
	dataOffset := int(binary.BigEndian.Uint16(c.head[20:]))
	c.wide = version >= tnsWide
	return dataOffset+dataLen == length && (!c.wide || length >= tnsWideAcceptLen)
}

// headLen is the number of bytes of the packet that accept and follow need.
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
