package realserver

import (
	"fmt"
	"os"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// The users of Redis.
const (
	RedisUser   = "monitor"
	RedisPasswd = "monitor-secret"
)

// Redis starts a redis server. Its ports are "redis" and "redis6", open to all
// clients; withPasswd requires RedisPasswd: for the default user and for RedisUser.
func Redis(t *testing.T, withPasswd bool) *Daemon {
	t.Helper()
	lab.Need(t, "redis-tools")
	d := newDaemon(t, "redis")
	addr, addr6 := d.listenBoth("redis")
	config := fmt.Sprintf("bind %s %s\nport %d\ndir %s\nsave \"\"\nprotected-mode no\n", addr.Addr(), addr6.Addr(), addr.Port(), d.Dir)
	if withPasswd {
		config += fmt.Sprintf("user default on >%[2]s ~* &* +@all\nuser %[1]s on >%[2]s -@all +ping\n", RedisUser, RedisPasswd)
	}
	// The package redis-server has a service and this name for the same program.
	server := d.Dir + "/redis-server"
	if err := os.Symlink("/usr/bin/redis-check-rdb", server); err != nil {
		t.Fatal(err)
	}
	return d.run(server, d.write("redis.conf", config))
}
