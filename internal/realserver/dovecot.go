package realserver

import (
	"fmt"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// The user of Dovecot, with an empty mailbox.
const (
	MailUser   = "monitor"
	MailPasswd = `monitor "secret"`
)

// Dovecot starts a server of mailboxes. Its ports are "imap", "imaps", "pop"
// and "pops", the first of each pair with STARTTLS, all with cert, and the same
// with a "6" behind the name. A wrong password is answered without a pause. The
// processes that greet take one after the other: to start one for each costs
// more than some machines have.
func Dovecot(t *testing.T, cert *Certificate) *Daemon {
	t.Helper()
	lab.Need(t,
		"dovecot-imapd",
		"dovecot-pop3d")
	d := newDaemon(t, "dovecot")
	imap, imap6 := d.listenBoth("imap")
	imaps, _ := d.listenBoth("imaps")
	pop, _ := d.listenBoth("pop")
	pops, _ := d.listenBoth("pops")
	d.mkdir("mail", "mail")
	config := d.write("dovecot.conf", fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols = imap pop3
listen = %[2]s, %[10]s
ssl_cert = <%[3]s
ssl_key = <%[4]s
disable_plaintext_auth = no
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
first_valid_uid = 1
mail_location = maildir:%[1]s/mail/%%u
passdb {
  driver = passwd-file
  args = %[5]s
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/mail/%%u
}
service imap-login {
  service_count = 0
  inet_listener imap {
    port = %[6]d
  }
  inet_listener imaps {
    port = %[7]d
    ssl = yes
  }
}
service pop3-login {
  service_count = 0
  inet_listener pop3 {
    port = %[8]d
  }
  inet_listener pop3s {
    port = %[9]d
    ssl = yes
  }
}
`, d.Dir, imap.Addr(), cert.CertFile, cert.KeyFile, d.write("users", MailUser+":{PLAIN}"+MailPasswd+"\n"),
		imap.Port(), imaps.Port(), pop.Port(), pops.Port(), imap6.Addr()))
	return d.run("/usr/sbin/dovecot", "-F", "-c", config)
}
