package checker

import (
	"bufio"
	"net"
	"regexp"
)

// A passiveConn is a control connection that rewrites the replies to PASV for the
// library: the library needs the address in brackets and no other text, while
// servers put any text around the six numbers (RFC 1123, section 4.1.2.6).
type passiveConn struct {
	net.Conn
	in   *bufio.Reader
	line []byte // the unread rest of a line
}

func newPassiveConn(conn net.Conn) *passiveConn {
	return &passiveConn{Conn: conn, in: bufio.NewReader(conn)}
}

// passivePorts finds the host and port in a reply to PASV.
var passivePorts = regexp.MustCompile(`^227[ =].*?(\d{1,3}), *(\d{1,3}), *(\d{1,3}), *(\d{1,3}), *(\d{1,3}), *(\d{1,3})\D`)

// Read returns a line, or as much of it as fits into p.
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
