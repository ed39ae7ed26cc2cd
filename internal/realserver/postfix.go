package realserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Postfix starts a mail server. Its ports are "smtp", "smtp6", "submission" and
// "submission6", all with STARTTLS and cert, and "refusing", which never greets
// with 220.
func Postfix(t *testing.T, cert *Certificate) *Daemon {
	t.Helper()
	lab.Need(t, "postfix")
	d := newDaemon(t, "postfix")
	smtp, submission, refusing := d.listen("smtp", "tcp"), d.listen("submission", "tcp"), d.listen("refusing", "tcp")
	smtp6 := d.listenOn(netip.IPv6Loopback(), "smtp6", "tcp")
	submission6 := d.listenOn(netip.IPv6Loopback(), "submission6", "tcp")
	d.write("master.cf", fmt.Sprintf(`
%s inet n - n - - smtpd
%s inet n - n - - smtpd
%s inet n - n - - smtpd
%s inet n - n - - smtpd
%s inet n - n - - smtpd -o smtpd_client_restrictions=reject -o smtpd_delay_reject=no
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
`, smtp, smtp6, submission, submission6, refusing))
	d.write("main.cf", fmt.Sprintf(`
compatibility_level = 3.6
myhostname = mail.example.com
inet_interfaces = 127.0.0.1
queue_directory = %[1]s/queue
data_directory = %[2]s
smtpd_tls_cert_file = %[3]s
smtpd_tls_key_file = %[4]s
smtpd_tls_security_level = may
alias_maps =
maillog_file =
`, d.Dir, d.mkdir("data", "postfix"), cert.CertFile, cert.KeyFile))
	d.mkdir("queue/pid", "")
	d.mkdir("queue/private", "postfix")
	d.mkdir("queue/public", "postfix")
	return d.run("/usr/lib/postfix/sbin/master", "-c", d.Dir, "-d")
}
