package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// Time limits of one attempt: for each step of an SMTP dialogue, and for the whole
// attempt.
const (
	stepTimeout = 10 * time.Second
	mailTimeout = 30 * time.Second
)

const smtpPort = 25

// A mailer sends letters to an SMTP server or to the local mailer.
type mailer struct {
	host     string // this host's name
	port     int    // of SMTP servers
	sendmail string // path of the local mailer, "" is the usual one
}

// errRefused wraps errors that a retry cannot cure.
var errRefused = errors.New("refused")

// send tries once. encrypt uses TLS if the server offers it: its certificate is not
// verified, since plain text is the alternative.
func (m mailer) send(ctx context.Context, l letter, encrypt bool) error {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	if l.server == "" {
		return m.hand(ctx, l)
	}
	return m.post(ctx, l, encrypt)
}

// hand passes l to the local mailer, which reads the recipients from it.
func (m mailer) hand(ctx context.Context, l letter) error {
	path := m.sendmail
	if path == "" {
		path = findSendmail()
	}
	result, err := command.Run(ctx, command.Command{
		Path: path, Args: []string{"-oi", "-t"}, Stdin: l.message(time.Now(), m.host),
	})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w %s", path, err, safetext.Line(string(result.Output)))
	}
	return nil
}

// findSendmail is the usual path of the local mailer.
func findSendmail() string {
	for _, path := range []string{"/usr/sbin/sendmail", "/usr/lib/sendmail"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath("sendmail")
	if err != nil {
		return "sendmail" // starting it reports that it is missing
	}
	return path
}

// post sends l to its SMTP server. The connection ends with ctx, at any step of the
// dialogue.
func (m mailer) post(ctx context.Context, l letter, encrypt bool) error {
	policy := mail.NoTLS
	if encrypt {
		policy = mail.TLSOpportunistic
	}
	dial := func(_ context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}
	client, err := mail.NewClient(
		l.server, mail.WithPort(m.port), mail.WithHELO(m.host), mail.WithTimeout(stepTimeout),
		mail.WithDialContextFunc(dial), mail.WithTLSPolicy(policy),
		mail.WithTLSConfig(&tls.Config{ServerName: l.server, InsecureSkipVerify: true}), //nolint:gosec // see send
	)
	if err != nil {
		return err
	}
	server, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", l.server, err)
	}
	if err := m.talk(server, l); err != nil {
		return fmt.Errorf("%s: %w", l.server, err)
	}
	// The server has accepted the mail: an error of QUIT does not matter.
	_ = server.Quit()
	return nil
}

// talk is the part of an SMTP dialogue for one mail.
func (m mailer) talk(server *smtp.Client, l letter) error {
	if err := server.Mail("<" + l.sender + ">"); err != nil {
		return err
	}
	var refused error
	to := recipients(l.to)
	taken := 0
	for _, address := range to {
		if err := server.Rcpt("<" + address + ">"); err != nil {
			refused = fmt.Errorf("recipient %s: %w", address, err)
			continue
		}
		taken++
	}
	if taken == 0 {
		return fmt.Errorf("no recipient of %q was accepted: %w", l.to, refused)
	}
	w, err := server.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(l.message(time.Now(), m.host)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if refused != nil {
		return fmt.Errorf("%w: %w", errRefused, refused) // the other recipients have it
	}
	return nil
}
