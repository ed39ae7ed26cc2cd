package realserver

import (
	"fmt"
	"testing"

	"ldirectord/internal/lab"
)

// What Vsftpd knows. It lets only anonymous users in, who have to give this
// password.
const (
	FTPUser   = "anonymous"
	FTPPasswd = "ldirectord@example.com"
)

// Vsftpd starts an ftp server. Its port is "ftp". It has the file index.html
// with the text "Welcome to FTP".
func Vsftpd(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, lab.Package{Name: "vsftpd", File: "/usr/sbin/vsftpd"})
	d := newDaemon(t, "vsftpd")
	d.write("files/index.html", "Welcome to FTP\n")
	addr := d.listen("ftp", "tcp")
	config := d.write("vsftpd.conf", fmt.Sprintf(`
listen=YES
listen_address=%[1]s
listen_port=%[2]d
background=NO
anonymous_enable=YES
anon_root=%[3]s/files
secure_email_list_enable=YES
email_password_file=%[4]s
secure_chroot_dir=%[5]s
xferlog_enable=NO
seccomp_sandbox=NO
`, addr.Addr(), addr.Port(), d.Dir, d.write("passwords", FTPPasswd+"\n"), d.mkdir("empty", "")))
	return d.run("/usr/sbin/vsftpd", config)
}
