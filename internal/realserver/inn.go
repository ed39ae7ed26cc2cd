package realserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// INN starts InterNetNews' server for news readers. Its port is "nntp". It accepts
// all readers if open, else none.
func INN(t *testing.T, open bool) *Daemon {
	t.Helper()
	return inn(t, "-4", loopback(), open)
}

// INN6 is INN on ::1.
func INN6(t *testing.T, open bool) *Daemon {
	t.Helper()
	return inn(t, "-6", netip.IPv6Loopback(), open)
}

// inn starts it on ip, which is of the family that the option names.
func inn(t *testing.T, option string, ip netip.Addr, open bool) *Daemon {
	t.Helper()
	lab.Need(t, "libcanlock3", "libdb5.3", "libsasl2-2", "libexpat1", "libperl5.36", "libpython3.11")
	d := newDaemon(t, "inn")
	// Not installed: it breaks on a machine without a domain, and wants a mail
	// server.
	news := unpack(t, "inn2", "inn2-inews") + "/usr/lib/news"
	d.user = "news"
	d.chown(d.Dir, d.user)
	d.innConfig(news, open)
	d.env = []string{"INNCONF=" + d.Dir + "/inn.conf", "LD_LIBRARY_PATH=" + news}
	d.prepare("sh", "-c", fmt.Sprintf("cp %[1]s/examples/* . && touch history active.times && "+
		"%[1]s/bin/makedbz -i -o -s 1000 && %[1]s/bin/makehistory -O -x -F", news))
	addr := d.listenOn(ip, "nntp", "tcp")
	return d.run(news+"/bin/nnrpd", "-D", "-f", "-c", d.Dir+"/readers.conf",
		option, addr.Addr().String(), "-p", fmt.Sprint(addr.Port()))
}

// innConfig writes the configuration: everything is in the Daemon's directory.
func (d *Daemon) innConfig(news string, open bool) {
	d.t.Helper()
	d.write("inn.conf", fmt.Sprintf(`
mta: /bin/true
hismethod: hisv6
enableoverview: true
ovmethod: tradindexed
runasuser: news
runasgroup: news
pathnews: %[1]s
pathbin: %[1]s/bin
pathdb: %[2]s
pathetc: %[2]s
pathspool: %[3]s
patharticles: %[3]s
pathincoming: %[3]s
pathoverview: %[3]s
pathlog: %[2]s
pathrun: %[2]s
pathtmp: %[2]s
pathhost: news.example.com
fqdn: news.example.com
domain: example.com
nnrpdloadlimit: 0
`, news, d.Dir, d.mkdir("spool", d.user)))
	d.write("storage.conf", "method tradspool {\n newsgroups: *\n class: 0\n}\n")
	hosts := "*"
	if !open {
		hosts = "192.0.2.1" // an unused address (RFC 5737)
	}
	d.write("readers.conf", fmt.Sprintf(`
auth "all" {
	hosts: "%s"
	default: "<all>"
}
access "all" {
	users: "<all>"
	newsgroups: "*"
}
`, hosts))
}
