package realserver

import (
	"fmt"
	"testing"

	"ldirectord/internal/lab"
)

// Whom Redis lets in.
const (
	RedisUser   = "monitor"
	RedisPasswd = "monitor-secret"
)

// Redis starts a redis server. Its ports are "redis" and "redis6", where everybody may do
// everything, and RedisPasswd is asked for if withPasswd: of the default user
// and of RedisUser.
func Redis(t *testing.T, withPasswd bool) *Daemon {
	t.Helper()
	lab.Need(t, lab.Package{Name: "redis-server", File: "/usr/bin/redis-server"})
	d := newDaemon(t, "redis")
	addr, addr6 := d.listenBoth("redis")
	config := fmt.Sprintf("bind %s %s\nport %d\ndir %s\nsave \"\"\nprotected-mode no\n", addr.Addr(), addr6.Addr(), addr.Port(), d.Dir)
	if withPasswd {
		config += fmt.Sprintf("user default on >%[2]s ~* &* +@all\nuser %[1]s on >%[2]s -@all +ping\n", RedisUser, RedisPasswd)
	}
	return d.run("/usr/bin/redis-server", d.write("redis.conf", config))
}
