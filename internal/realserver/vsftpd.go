package realserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
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
	return vsftpd(t, loopback(), "listen=YES\nlisten_address")
}

// Vsftpd6 is Vsftpd on ::1.
func Vsftpd6(t *testing.T) *Daemon {
	t.Helper()
	return vsftpd(t, netip.IPv6Loopback(), "listen=NO\nlisten_ipv6=YES\nlisten_address6")
}

// vsftpd starts it on ip, which is the value of the last directive in listen.
func vsftpd(t *testing.T, ip netip.Addr, listen string) *Daemon {
	t.Helper()
	lab.Need(t, "vsftpd")
	d := newDaemon(t, "vsftpd")
	d.write("files/index.html", "Welcome to FTP\n")
	addr := d.listenOn(ip, "ftp", "tcp")
	config := d.write("vsftpd.conf", fmt.Sprintf(`
%[6]s=%[1]s
listen_port=%[2]d
background=NO
anonymous_enable=YES
anon_root=%[3]s/files
secure_email_list_enable=YES
email_password_file=%[4]s
secure_chroot_dir=%[5]s
xferlog_enable=NO
seccomp_sandbox=NO
`, addr.Addr(), addr.Port(), d.Dir, d.write("passwords", FTPPasswd+"\n"), d.mkdir("empty", ""), listen))
	return d.run("/usr/sbin/vsftpd", config)
}
