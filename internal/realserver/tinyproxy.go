package realserver

import (
	"fmt"
	"testing"

	"ldirectord/internal/lab"
)

// Tinyproxy starts an http proxy for everybody. Its port is "http_proxy".
func Tinyproxy(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, lab.Package{Name: "tinyproxy-bin", File: "/usr/bin/tinyproxy"})
	d := newDaemon(t, "tinyproxy")
	addr := d.listen("http_proxy", "tcp")
	config := d.write("tinyproxy.conf", fmt.Sprintf("Port %d\nListen %s\nTimeout 30\nMaxClients 50\nLogLevel Error\n",
		addr.Port(), addr.Addr()))
	return d.run("/usr/bin/tinyproxy", "-d", "-c", config)
}
