package checker

import (
	"bytes"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// pgServer accepts the password "good" and answers every query with rows rows, or
// with an error if "bad" is in it.
func pgServer(rows int) func(net.Conn) {
	return func(c net.Conn) {
		s := pgproto3.NewBackend(c, c)
		if !pgLogin(s, c) {
			return
		}
		bad := false
		for {
			m, err := s.Receive()
			if err != nil {
				return
			}
			switch m := m.(type) {
			case *pgproto3.Parse:
				bad = bytes.Contains([]byte(m.Query), []byte("bad"))
			case *pgproto3.Sync:
				pgAnswer(s, rows, bad)
				if s.Flush() != nil {
					return
				}
			case *pgproto3.Terminate:
				return
			}
		}
	}
}

func pgLogin(s *pgproto3.Backend, c net.Conn) bool {
	m, err := s.ReceiveStartupMessage()
	if _, ok := m.(*pgproto3.SSLRequest); ok && err == nil {
		c.Write([]byte("N"))
		_, err = s.ReceiveStartupMessage()
	}
	if err != nil {
		return false
	}
	s.Send(&pgproto3.AuthenticationCleartextPassword{})
	if s.Flush() != nil || s.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
		return false
	}
	m2, err := s.Receive()
	if passwd, ok := m2.(*pgproto3.PasswordMessage); err != nil || !ok || passwd.Password != "good" {
		s.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: `password authentication failed for user "u"`})
		s.Flush()
		return false
	}
	s.Send(&pgproto3.AuthenticationOk{})
	s.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	return s.Flush() == nil
}

func pgAnswer(s *pgproto3.Backend, rows int, bad bool) {
	if bad {
		s.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42P01", Message: "relation \"bad\"\ndoes not exist"})
	} else {
		s.Send(&pgproto3.ParseComplete{})
		s.Send(&pgproto3.BindComplete{})
		s.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("c")}}})
		for range rows {
			s.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("1")}})
		}
		s.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT")})
	}
	s.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
}

func TestPgSQL(t *testing.T) {
	tests := []struct {
		name, passwd, request string
		rows                  int
		want                  string
	}{
		{"a row", "good", "/select 1", 1, ""},
		{"rows", "good", "/select 1", 100, ""},
		{"more than is read", "good", "/select 1", 200_000, ""},
		{"no row", "good", "/select 1", 0, "the query returned no rows"},
		{"wrong password", "bad", "/select 1", 1, `login as u: password authentication failed for user "u" (28P01)`},
		{"bad query", "good", "/select bad", 1, `query: relation "bad" does not exist (42P01)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			p := PgSQL{Addr: listen(t, pgServer(tt.rows)), Login: "u", Passwd: secret.Text(tt.passwd), Request: tt.request}
			_, err := p.Check(t.Context())
			if got := errText(err); got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPgSQLConfig(t *testing.T) {
	p := PgSQL{Addr: lab.HoldPort(t), Login: `o'ne \ two`, Passwd: "x y=z", Database: "d b'"}
	config, err := p.config()
	if err != nil {
		t.Fatal(err)
	}
	if config.User != p.Login || config.Password != p.Passwd.Reveal() || config.Database != p.Database || config.Port != p.Addr.Port() {
		t.Errorf("config = %q, %q, %q, %d", config.User, config.Password, config.Database, config.Port)
	}
}
