package checker

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Redis check is up when the server answers PING. With Passwd it authenticates
// first, with Login as a user of the server's access list.
type Redis struct {
	Addr   netip.AddrPort
	Login  string      // "" is the default user
	Passwd secret.Text // "" sends no AUTH
}

// String implements Checker.
func (r Redis) String() string { return "redis PING " + r.Addr.String() + asLogin(r.Login) }

// Target implements Talker.
func (r Redis) Target() Target { return Target{Network: "tcp", Addr: r.Addr} }

// Dialogue implements Talker.
func (r Redis) Dialogue() Dialogue {
	d := &redisDialogue{Redis: r}
	d.ready = d.begin
	return d
}

type redisDialogue struct {
	lineDialogue
	Redis
}

func (d *redisDialogue) begin() Step {
	if d.Passwd == "" {
		return d.ping()
	}
	d.answer = func(line string) Step {
		if line != "+OK" {
			return d.refused("AUTH", line)
		}
		return d.ping()
	}
	if d.Login == "" {
		return Step{Send: redisCommand("AUTH", d.Passwd.Reveal())}
	}
	return Step{Send: redisCommand("AUTH", d.Login, d.Passwd.Reveal())}
}

func (d *redisDialogue) ping() Step {
	d.answer = func(line string) Step {
		if line != "+PONG" {
			return d.refused("PING", line)
		}
		return Step{Done: true, Send: redisCommand("QUIT")}
	}
	return Step{Send: redisCommand("PING")}
}

func (d *redisDialogue) refused(sent, line string) Step {
	return down("%s: %s", sent, safetext.Excerpt(hide(line, d.Passwd)))
}

// redisCommand encodes a command as an array of strings with their lengths, so that
// words may contain any byte.
func redisCommand(words ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	return []byte(b.String())
}
