package realserver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Unbound starts a name server. Its ports are "dns" and "dns6" (on ::1), each
// for udp and tcp. Its names are:
//
//	www.example.com    A 10.0.9.1 and 10.0.9.2
//	six.example.com    AAAA fd00::9
//	10.0.9.1, fd00::9  PTR ptr.example.com
//	many.example.com   200 addresses, 10.0.8.0 to 10.0.8.199, too many for udp
//	nx.example.com     NXDOMAIN
//	broken.example     SERVFAIL: the only server for it is forbidden
//	refused.example    REFUSED
func Unbound(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "unbound")
	d := newDaemon(t, "unbound")
	addr := d.listen("dns", "tcp")
	addr6 := d.listenOn(netip.IPv6Loopback(), "dns6", "tcp")
	var many strings.Builder
	for i := range 200 {
		fmt.Fprintf(&many, "	local-data: \"many.example.com. A 10.0.8.%d\"\n", i)
	}
	config := d.write("unbound.conf", fmt.Sprintf(`
server:
	interface: %[1]s@%[2]d
	interface: %[3]s@%[4]d
	access-control: 127.0.0.0/8 allow
	access-control: ::1 allow
	chroot: ""
	username: ""
	directory: %[5]s
	pidfile: %[5]s/pid
	use-syslog: no
	do-daemonize: no
	module-config: "iterator"
	local-zone: "example.com." static
	local-data: "www.example.com. A 10.0.9.1"
	local-data: "www.example.com. A 10.0.9.2"
	local-data: "six.example.com. AAAA fd00::9"
	local-data-ptr: "10.0.9.1 ptr.example.com"
	local-data-ptr: "fd00::9 ptr.example.com"
	local-zone: "refused.example." refuse
%[6]sforward-zone:
	name: "broken.example."
	forward-addr: %[1]s@1
`, addr.Addr(), addr.Port(), addr6.Addr(), addr6.Port(), d.Dir, many.String()))
	return d.run("/usr/sbin/unbound", "-d", "-c", config)
}
