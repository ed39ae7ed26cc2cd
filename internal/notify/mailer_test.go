package notify

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// A mailbox is an SMTP server that keeps its mails and refuses mail to
// nobody@.
type mailbox struct {
	sender, text string
	to           []string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }

func (m *mailbox) Mail(from string, _ *smtp.MailOptions) error {
	m.sender, m.to = from, nil
	return nil
}

func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}
	m.to = append(m.to, to)
	return nil
}

func (m *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	m.text = string(text)
	return err
}

func (m *mailbox) Reset()        {}
func (m *mailbox) Logout() error { return nil }

// serve starts an SMTP server for m and returns its port.
func serve(t *testing.T, m *mailbox) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(m)
	server.ErrorLog = discard{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return listener.Addr().(*net.TCPAddr).Port
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func TestPost(t *testing.T) {
	var box mailbox
	m := mailer{host: "director", port: serve(t, &box)}
	l := letter{
		route:   route{server: "127.0.0.1", sender: "root@director", from: "ld@example.com", to: "a@example.com, b@example.com"},
		subject: "Deleted real server: 10.1.0.1:80 (10.0.0.1:80)", body: "ldirectord host: director\n.\nend\n",
	}
	if err := m.send(t.Context(), l, true); err != nil {
		t.Fatal(err)
	}
	if got, want := box.sender, "root@director"; got != want {
		t.Errorf("envelope sender is %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"a@example.com", "b@example.com"}, box.to); diff != "" {
		t.Errorf("recipients differ (-want +got):\n%s", diff)
	}
	head, body, _ := strings.Cut(box.text, "\r\n\r\n")
	if want := "From: ld@example.com\r\nTo: a@example.com, b@example.com\r\nSubject: " + l.subject + "\r\n"; !strings.HasPrefix(head, want) {
		t.Errorf("headers are %q, want them to begin with %q", head, want)
	}
	if want := "ldirectord host: director\r\n.\r\nend\r\n"; body != want {
		t.Errorf("body is %q, want %q", body, want)
	}
}

func TestPostRefused(t *testing.T) {
	var box mailbox
	m := mailer{host: "director", port: serve(t, &box)}
	l := letter{route: route{server: "127.0.0.1", sender: "root@director", from: "f@x", to: "nobody@x, a@x"}}
	err := m.send(t.Context(), l, true)
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "nobody@x") {
		t.Errorf("error is %v, want one that wraps %v and names the recipient", err, errRefused)
	}
	if diff := cmp.Diff([]string{"a@x"}, box.to); diff != "" {
		t.Errorf("recipients differ (-want +got):\n%s", diff)
	}
	l.to = "nobody@x"
	err = m.send(t.Context(), l, true)
	if err == nil || errors.Is(err, errRefused) {
		t.Errorf("error is %v when nobody takes it, want one that is tried again", err)
	}
}

// TestPostToBadServers sends to servers that do not do as they should.
func TestPostToBadServers(t *testing.T) {
	servers := map[string]func(net.Conn){
		"silent":              func(c net.Conn) { io.Copy(io.Discard, c) },
		"hangs up":            func(net.Conn) {},
		"goes away":           func(c net.Conn) { io.WriteString(c, "554 go away\r\n") },
		"silent after hello":  func(c net.Conn) { io.WriteString(c, "220 hi\r\n"); io.Copy(io.Discard, c) },
		"speaks HTTP instead": func(c net.Conn) { io.WriteString(c, "HTTP/1.0 400 Bad Request\r\n\r\n"); io.Copy(io.Discard, c) },
	}
	for name, serve := range servers {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				serve(conn)
				conn.Close()
			}()
			m := mailer{host: "h", port: listener.Addr().(*net.TCPAddr).Port}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			err = m.send(ctx, letter{route: route{server: "127.0.0.1", sender: "a@b", to: "c@d"}}, true)
			if err == nil {
				t.Error("the mail was sent")
			}
			eventually.InTime(t, "sending", began, 100*time.Millisecond)
			listener.Close()
			<-done // the connection is closed on our side, too
		})
	}
}

func TestHand(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "sendmail")
	text := "#!/bin/sh\necho \"$@\" >" + dir + "/args\ncat >" + dir + "/mail\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	m := mailer{host: "director", sendmail: script}
	l := letter{route: route{sender: "root@director", from: "root@director", to: "root"}, subject: "s", body: "b\n"}
	if err := m.send(t.Context(), l, true); err != nil {
		t.Fatal(err)
	}
	args, _ := os.ReadFile(dir + "/args")
	if got, want := string(args), "-oi -t\n"; got != want {
		t.Errorf("arguments are %q, want %q", got, want)
	}
	sent, _ := os.ReadFile(dir + "/mail")
	if want := "From: root@director\r\nTo: root\r\nSubject: s\r\n"; !strings.HasPrefix(string(sent), want) {
		t.Errorf("the mailer got %q, want it to begin with %q", sent, want)
	}
}

func TestHandFails(t *testing.T) {
	script := filepath.Join(t.TempDir(), "sendmail")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho queue is full >&2\nexit 75\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := mailer{sendmail: script}.send(t.Context(), letter{}, true)
	if err == nil || !strings.Contains(err.Error(), "exit status 75 queue is full") {
		t.Errorf("error is %v, want the exit status and what the mailer said", err)
	}
	err = mailer{sendmail: "/nonexistent/sendmail"}.send(t.Context(), letter{}, true)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v without a mailer, want %v", err, os.ErrNotExist)
	}
}
