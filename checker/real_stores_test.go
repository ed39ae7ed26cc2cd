package checker_test

import (
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// TestRealNNTP checks INN.
func TestRealNNTP(t *testing.T) {
	closed := realserver.INN(t, false)
	talkReal(t, []realTalk{
		{name: "lets nobody in", check: checker.NNTP{Addr: closed.Addr("nntp")}, err: `greeting: "502 You have no permission`},
		{name: "asked for smtp", check: checker.SMTP{Addr: closed.Addr("nntp")}, err: `greeting: "502 You have no permission`},
	})
	open := realserver.INN(t, true)
	outage(t, open, checker.NNTP{Addr: open.Addr("nntp")})
}

// TestRealRedis checks redis.
func TestRealRedis(t *testing.T) {
	d := realserver.Redis(t, false)
	addr := d.Addr("redis")
	talkReal(t, []realTalk{
		{name: "a password that nobody wants", check: checker.Redis{Addr: addr, Passwd: "x"}, err: `AUTH: "-ERR AUTH `},
	})
	outage(t, d, checker.Redis{Addr: addr})
}

// TestRealRedisUsers checks a redis with users.
func TestRealRedisUsers(t *testing.T) {
	d := realserver.Redis(t, true)
	addr := d.Addr("redis")
	user := checker.Redis{Addr: addr, Login: realserver.RedisUser, Passwd: realserver.RedisPasswd}
	wrong := user
	wrong.Passwd = "wrong"
	talkReal(t, []realTalk{
		{name: "no password", check: checker.Redis{Addr: addr}, err: `PING: "-NOAUTH `},
		{name: "wrong password", check: wrong, err: `AUTH: "-WRONGPASS `},
	})
	outage(t, d, user, checker.Redis{Addr: addr, Passwd: realserver.RedisPasswd})
}

// TestRealMemcached checks memcached.
func TestRealMemcached(t *testing.T) {
	d := realserver.Memcached(t)
	check := checker.Memcached{Addr: d.Addr("memcached")}
	talkReal(t, []realTalk{
		{name: "its version", check: check, detail: "version \"1."},
		{name: "asked for redis", check: checker.Redis{Addr: d.Addr("memcached")}, err: `PING: "ERROR"`},
	})
	outage(t, d, check)
}
