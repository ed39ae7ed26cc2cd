package checker_test

import (
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// TestRealXinetd checks shell scripts under xinetd, a usual way to check databases:
// most of them read nothing, so that their end resets the connection.
func TestRealXinetd(t *testing.T) {
	const head = `printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'; `
	// A program that ends before it has read the whole request has the kernel reset the
	// connection. One that ends before the request arrives closes it.
	const begun = `read a; `
	d := realserver.Xinetd(t, map[string]string{
		"reads-nothing":  head + `printf '\r\ndb is up\r\n'`,
		"odd-line-ends":  head + `printf '\r\n\n'; printf 'db is up\r\n\r\n'`,
		"reads-one-line": begun + head + `printf '\r\ndb is up\r\n'`,
		"slow":           head + `sleep 0.5; printf '\r\n'; sleep 0.5; printf 'db is up\r\n'; sleep 0.5`,
		"not-up":         head + `printf '\r\ndb is away\r\n'`,
		"busy":           `printf 'HTTP/1.1 503 Busy\r\n\r\ndb is up\r\n'`,
		"in-the-head":    begun + head,
		"too-short":      begun + head + `printf 'Content-Length: 100\r\n\r\ndb is up\r\n'`,
		"no-newline":     `printf OK`,
		"slow-line":      `printf O; sleep 0.5; printf K; sleep 0.5`,
		"another-line":   `printf what`,
	})
	web := func(name, err string) realTalk {
		h := newHTTP(t, checker.HTTPOptions{Service: "http", Request: "/", Receive: receive(t, "db is up")}, d.Addr(name), nil)
		return realTalk{name: name, check: h, err: err}
	}
	line := func(name, err string) realTalk {
		return realTalk{name: name, check: checker.SimpleTCP{Addr: d.Addr(name), Request: "hi", Receive: receive(t, "OK")}, err: err}
	}
	talkReal(t, []realTalk{
		web("reads-nothing", ""), web("odd-line-ends", ""), web("reads-one-line", ""), web("slow", ""),
		web("not-up", "not found"), web("busy", "503 Busy"), web("in-the-head", "connection reset"), web("too-short", "connection reset"),
		line("no-newline", ""), line("slow-line", ""), line("another-line", "not found"),
	})
}
