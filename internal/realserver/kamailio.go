package realserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Kamailio starts a SIP server. Its ports are "sip" and "sip6" (on ::1), each for
// udp and tcp. It answers OPTIONS with 200, but 503 for the user "busy".
func Kamailio(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "kamailio")
	d := newDaemon(t, "kamailio")
	addr := d.listen("sip", "tcp")
	addr6 := d.listenOn(netip.IPv6Loopback(), "sip6", "tcp")
	config := d.write("kamailio.cfg", fmt.Sprintf(`
fork=yes
children=1
tcp_children=1
log_stderror=yes
debug=0
listen=udp:%[1]s
listen=tcp:%[1]s
listen=udp:%[2]s
listen=tcp:%[2]s
loadmodule "sl"
loadmodule "pv"
request_route {
	if ($rU == "busy") {
		sl_send_reply("503", "Service Unavailable");
		exit;
	}
	if ($rm == "OPTIONS") {
		sl_send_reply("200", "OK");
		exit;
	}
	sl_send_reply("405", "Method Not Allowed");
}
`, addr, addr6))
	return d.run("/usr/sbin/kamailio", "-DD", "-E", "-f", config, "-m", "8", "-M", "4",
		"-Y", d.Dir, "-P", d.Dir+"/pid", "-w", d.Dir)
}
