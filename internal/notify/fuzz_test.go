package notify

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// A saying is a connection to a server that sends its text, whatever it receives,
// and then closes.
type saying struct {
	net.Conn
	text *bytes.Reader
}

func (s saying) Read(b []byte) (int, error)     { return s.text.Read(b) }
func (saying) Write(b []byte) (int, error)      { return len(b), nil }
func (saying) Close() error                     { return nil }
func (saying) SetDeadline(time.Time) error      { return nil }
func (saying) SetReadDeadline(time.Time) error  { return nil }
func (saying) SetWriteDeadline(time.Time) error { return nil }

// FuzzMailAnswers has a mail server answer anything: handing a mail over ends, and
// succeeds only if the server sent the codes of success.
func FuzzMailAnswers(f *testing.F) {
	f.Add([]byte("220 mail\r\n250 hello\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n"))
	f.Add([]byte("220-a\r\n220 b\r\n250-SIZE\r\n250 STARTTLS\r\n550 no\r\n"))
	f.Add([]byte("220 mail\n250 hello\n250 ok\n250 ok\n354\n"))
	f.Add([]byte("554 go away\r\n"))
	f.Add([]byte("\xff\x00"))
	l := letter{route: route{server: "mail", sender: "a@example.com", to: "b@example.com,c@example.com"}, subject: "s", body: "b"}
	m := mailer{host: "director"}
	f.Fuzz(func(t *testing.T, answers []byte) {
		conn := saying{text: bytes.NewReader(answers)}
		server, err := smtp.NewClient(conn, "mail")
		if err != nil {
			return
		}
		err = m.talk(server, l)
		rest, _ := io.ReadAll(conn.text)
		if err == nil && !bytes.Contains(answers, []byte("354")) {
			t.Errorf("the mail counts as handed over after %q (%d bytes unread)", answers, len(rest))
		}
	})
}
