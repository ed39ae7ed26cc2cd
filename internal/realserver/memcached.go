package realserver

import (
	"fmt"
	"testing"

	"ldirectord/internal/lab"
)

// Memcached starts a memcached. Its port is "memcached".
func Memcached(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, lab.Package{Name: "memcached", File: "/usr/bin/memcached"})
	d := newDaemon(t, "memcached")
	// From the start, not by -u: who changes its user outlives its parent.
	d.user = "nobody"
	addr := d.listen("memcached", "tcp")
	return d.run("/usr/bin/memcached", "-m", "8", "-U", "0",
		"-l", addr.Addr().String(), "-p", fmt.Sprint(addr.Port()))
}
