package realserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// What Slapd knows.
const (
	SlapdSuffix = "dc=example,dc=com"
	SlapdUser   = "cn=monitor,dc=example,dc=com"
	SlapdPasswd = "monitor-secret"
)

// Slapd starts OpenLDAP's server. Its ports are "ldap" and "ldap6", which know
// StartTLS, and "ldaps" and "ldaps6", all with cert. It has the entry SlapdSuffix
// and the person SlapdUser below it, with the password SlapdPasswd; reading needs
// no login.
func Slapd(t *testing.T, cert *Certificate) *Daemon {
	t.Helper()
	lab.Need(t, "slapd")
	d := newDaemon(t, "slapd")
	d.hasData = true
	config := d.write("slapd.conf", fmt.Sprintf(`
include /etc/ldap/schema/core.schema
pidfile %[1]s/pid
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix %[4]s
directory %[5]s
access to attrs=userPassword by anonymous auth
access to * by * read
`, d.Dir, cert.CertFile, cert.KeyFile, SlapdSuffix, d.mkdir("data", "")))
	entries := d.write("entries.ldif", fmt.Sprintf(`
dn: %[1]s
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: %[2]s
objectClass: person
cn: monitor
sn: monitor
userPassword: %[3]s
`, SlapdSuffix, SlapdUser, SlapdPasswd))
	d.prepare("/usr/sbin/slapadd", "-f", config, "-l", entries)
	urls := fmt.Sprintf("ldap://%s ldap://%s ldaps://%s ldaps://%s",
		d.listen("ldap", "tcp"), d.listenOn(netip.IPv6Loopback(), "ldap6", "tcp"),
		d.listen("ldaps", "tcp"), d.listenOn(netip.IPv6Loopback(), "ldaps6", "tcp"))
	return d.run("/usr/sbin/slapd", "-f", config, "-h", urls, "-d", "0")
}
