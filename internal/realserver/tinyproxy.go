package realserver

import (
	"fmt"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Tinyproxy starts an http proxy for all clients. Its ports are "http_proxy" and
// "http_proxy6".
func Tinyproxy(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "tinyproxy-bin")
	d := newDaemon(t, "tinyproxy")
	addr, addr6 := d.listenBoth("http_proxy")
	config := d.write("tinyproxy.conf", fmt.Sprintf("Port %d\nListen %s\nListen %s\nTimeout 30\nMaxClients 50\nLogLevel Error\n",
		addr.Port(), addr.Addr(), addr6.Addr()))
	return d.run("/usr/bin/tinyproxy", "-d", "-c", config)
}
