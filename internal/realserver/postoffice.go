package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// A PostOffice is a whole mail system. Everything for example.com is delivered
// to one maildir.
type PostOffice struct {
	*Daemon
	Sendmail string // its command for mail from this machine
}

// NewPostOffice starts Postfix. Its port is "smtp".
func NewPostOffice(t *testing.T) *PostOffice {
	t.Helper()
	lab.Need(t, "postfix")
	d := newDaemon(t, "postoffice")
	d.write("master.cf", fmt.Sprintf(`
%s inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
`, d.listen("smtp", "tcp")))
	d.write("main.cf", fmt.Sprintf(`
compatibility_level = 3.6
myhostname = mail.example.com
mydestination =
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
queue_directory = %[1]s/queue
data_directory = %[2]s
virtual_mailbox_domains = example.com
virtual_mailbox_base = %[3]s
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
alias_maps =
maillog_file =
`, d.Dir, d.mkdir("data", "postfix"), d.mkdir("mail", "nobody")))
	for _, dir := range []string{
		"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
		"maildrop", "private", "public", "saved", "trace",
	} {
		d.mkdir("queue/"+dir, "postfix")
	}
	d.mkdir("queue/pid", "")
	sendmail := d.write("sendmail", fmt.Sprintf("#!/bin/sh\nexec /usr/sbin/sendmail -C %s \"$@\"\n", d.Dir))
	if err := os.Chmod(sendmail, 0o755); err != nil {
		t.Fatal(err)
	}
	return &PostOffice{d.run("/usr/lib/postfix/sbin/master", "-c", d.Dir, "-d"), sendmail}
}

// Mails waits until so many mails are delivered and returns their texts, in no
// certain order.
func (p *PostOffice) Mails(n int) []string {
	p.t.Helper()
	var files []string
	p.await(fmt.Sprintf("not delivered: %d mails", n), func() bool {
		files, _ = filepath.Glob(filepath.Join(p.Dir, "mail/all/new/*"))
		return len(files) >= n
	})
	texts := make([]string, 0, n)
	for _, file := range slices.Sorted(slices.Values(files)) {
		text, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}
