package realserver

import (
	"fmt"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Memcached starts a memcached. Its ports are "memcached" and
// "memcached6".
func Memcached(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "memcached")
	d := newDaemon(t, "memcached")
	// From the start, not by -u: who changes its user outlives its parent.
	d.user = "nobody"
	addr, addr6 := d.listenBoth("memcached")
	return d.run("/usr/bin/memcached", "-m", "8", "-U", "0",
		"-l", addr.Addr().String()+","+addr6.Addr().String(), "-p", fmt.Sprint(addr.Port()))
}
