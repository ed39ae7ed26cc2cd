package realserver

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Xinetd starts xinetd with a service for each shell script, which has the
// connection as its standard input and output. The ports are named as the
// scripts.
func Xinetd(t *testing.T, scripts map[string]string) *Daemon {
	t.Helper()
	lab.Need(t, "xinetd")
	d := newDaemon(t, "xinetd")
	var config strings.Builder
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		path := d.write(name, "#!/bin/sh\n"+scripts[name])
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		addr := d.listen(name, "tcp")
		fmt.Fprintf(&config, `
service %s
{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	wait = no
	user = root
	bind = %s
	port = %d
	server = %s
	cps = 10000 1
	instances = UNLIMITED
	per_source = UNLIMITED
}
`, name, addr.Addr(), addr.Port(), path)
	}
	file := d.write("xinetd.conf", config.String())
	return d.run("/usr/sbin/xinetd", "-dontfork", "-f", file, "-pidfile", d.Dir+"/pid", "-filelog", d.Dir+"/log")
}
