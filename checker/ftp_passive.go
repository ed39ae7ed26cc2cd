package checker

import (
	"bufio"
	"net"
	"regexp"
)

// A passiveConn is a control connection whose answers to PASV the library can read:
// it wants the address in brackets and nothing else there, while servers write what
// they like around the six numbers (RFC 1123, section 4.1.2.6).
type passiveConn struct {
	net.Conn
	in   *bufio.Reader
	line []byte // of which the rest is still to be read
}

func newPassiveConn(conn net.Conn) *passiveConn {
	return &passiveConn{Conn: conn, in: bufio.NewReader(conn)}
}

// passivePorts is a host and a port as PASV says them.
var passivePorts = regexp.MustCompile(`^227[ =].*?(\d{1,3}), *(\d{1,3}), *(\d{1,3}), *(\d{1,3}), *(\d{1,3}), *(\d{1,3})\D`)

// Read reads a line, or as much of a long one as there is room for.
func (c *passiveConn) Read(p []byte) (int, error) {
	if len(c.line) == 0 {
		line, err := c.in.ReadSlice('\n')
		if len(line) == 0 {
			return 0, err
		}
		c.line = line
		if said := passivePorts.FindSubmatchIndex(line); said != nil {
			c.line = passivePorts.Expand(nil, []byte("227 ($1,$2,$3,$4,$5,$6)\r\n"), line, said)
		}
	}
	n := copy(p, c.line)
	c.line = c.line[n:]
	return n, nil
}
