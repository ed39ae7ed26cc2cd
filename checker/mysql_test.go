package checker

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
)

// A mysqlServer implements the part of the protocol that a check needs: it accepts
// any user but "nobody", and answers every query with rows rows.
type mysqlServer struct {
	net.Conn
	in  *bufio.Reader
	seq byte
}

func newMySQLServer(rows int) func(net.Conn) {
	return func(c net.Conn) {
		s := &mysqlServer{Conn: c, in: bufio.NewReader(c)}
		s.send("\x0a8.0.0-test\x00", "\x01\x00\x00\x00", "12345678\x00", "\x01\x82", "\x21\x02\x00", "\x08\x00", "\x15",
			strings.Repeat("\x00", 10), "123456789012\x00", "mysql_native_password\x00")
		login := s.receive()
		if strings.Contains(login, "nobody") {
			s.send("\xff\x15\x04#28000Access denied for user 'nobody'@'localhost'")
			return
		}
		s.send(mysqlOK)
		for {
			query := s.receive()
			switch {
			case query == "" || query[0] == 1: // gone, or quits
				return
			case strings.Contains(query, "bad"):
				s.send("\xff\x7a\x04#42S02Table 'bad' doesn't exist")
			default:
				s.answer(rows)
			}
		}
	}
}

const (
	mysqlOK  = "\x00\x00\x00\x02\x00\x00\x00"
	mysqlEOF = "\xfe\x00\x00\x02\x00"
)

// answer sends a table of one column.
func (s *mysqlServer) answer(rows int) {
	s.send("\x01")
	s.send("\x03def\x00\x00\x00\x01c\x00\x0c", "\x21\x00\x10\x00\x00\x00\xfd\x00\x00\x00\x00\x00")
	s.send(mysqlEOF)
	for range rows {
		s.send("\x011")
	}
	s.send(mysqlEOF)
}

func (s *mysqlServer) send(parts ...string) {
	text := strings.Join(parts, "")
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	head[3] = s.seq
	s.seq++
	io.WriteString(s, string(head)+text)
}

func (s *mysqlServer) receive() string {
	head := make([]byte, 4)
	if _, err := io.ReadFull(s.in, head); err != nil {
		return ""
	}
	s.seq = head[3] + 1
	text := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	if _, err := io.ReadFull(s.in, text); err != nil {
		return ""
	}
	return string(text)
}

func TestMySQL(t *testing.T) {
	tests := []struct {
		name, login, request string
		rows                 int
		want                 string
	}{
		{"a row", "u", "/select 1", 1, ""},
		{"rows", "u", "/select 1", 100, ""},
		{"more than is read", "u", "/select 1", 400_000, ""},
		{"no row", "u", "/select 1", 0, "the query returned no rows"},
		{"not let in", "nobody", "/select 1", 1, "login as nobody: Access denied for user 'nobody'@'localhost' (1045)"},
		{"bad query", "u", "/select bad", 1, "query: Table 'bad' doesn't exist (1146)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			m := MySQL{Addr: listen(t, newMySQLServer(tt.rows)), Login: tt.login, Passwd: "secret", Request: tt.request}
			_, err := m.Check(t.Context())
			if got := errText(err); got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}
