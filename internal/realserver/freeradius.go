package realserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// The user of FreeRADIUS, for requests with RadiusSecret.
const (
	RadiusUser   = "monitor"
	RadiusPasswd = "a password of more than one block"
	RadiusSecret = "testing123"
)

// FreeRADIUS starts a RADIUS server that insists on signed requests. Its ports
// are "radius" and "radius6".
func FreeRADIUS(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "freeradius")
	d := newDaemon(t, "freeradius")
	addr := d.listen("radius", "udp")
	addr6 := d.listenOn(netip.IPv6Loopback(), "radius6", "udp")
	users := d.write("users", fmt.Sprintf("%s Cleartext-Password := \"%s\"\n\nDEFAULT Auth-Type := Reject\n\tReply-Message = \"who are you\"\n",
		RadiusUser, RadiusPasswd))
	d.write("radiusd.conf", fmt.Sprintf(`
prefix = %[1]s
localstatedir = %[1]s
name = freeradius
libdir = /usr/lib/freeradius
raddbdir = %[1]s
run_dir = %[1]s
logdir = %[1]s
max_requests = 1024
log {
	destination = stdout
}
security {
	reject_delay = 0
	allow_vulnerable_openssl = yes
}
client loopback {
	ipaddr = 127.0.0.0/8
	secret = %[2]s
	require_message_authenticator = yes
}
client loopback6 {
	ipv6addr = ::1
	secret = %[2]s
	require_message_authenticator = yes
}
modules {
	pap {
	}
	files {
		usersfile = %[3]s
	}
}
server default {
	listen {
		type = auth
		ipaddr = %[4]s
		port = %[5]d
	}
	listen {
		type = auth
		ipv6addr = %[6]s
		port = %[7]d
	}
	authorize {
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
	}
}
`, d.Dir, RadiusSecret, users, addr.Addr(), addr.Port(), addr6.Addr(), addr6.Port()))
	return d.run("/usr/sbin/freeradius", "-f", "-d", d.Dir)
}
