package checkspec

import (
	"errors"
	"io"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// password is the secret of all checks in the tests below.
const password = "pa55word"

// serviceChecks makes a check of every service in conf's table for an address, in
// plain text and, where a service has it, with starttls, over tcp and udp. The
// checks expect an answer that no peer below sends.
func serviceChecks(t testing.TB, port string) map[string]checker.Checker {
	t.Helper()
	checks := map[string]checker.Checker{}
	for _, service := range conf.Services() {
		if service == "none" || service == "oracle" && !checker.HasOracle {
			continue // always up; without a client
		}
		for name, lines := range map[string]string{"": "", ", starttls": "    starttls=yes\n", ", udp": "    protocol=udp\n"} {
			text := "virtual=10.0.0.1:" + port + "\n    real=127.0.0.1:" + port + " masq\n    service=" + service +
				"\n    login=\"m\"\n    passwd=\"" + password + "\"\n    secret=\"" + password + "\"\n    request=\"select\"\n    receive=\"^as it should$\"\n" + lines
			c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
			var problem *conf.Problem
			if errors.As(err, &problem) {
				t.Fatalf("%s%s: %v", service, name, problem)
			}
			key, _ := firstKey(c.Virtuals[0])
			checks[service+name], _ = Maker{}.Checkers(New(key.Spec), key.At, nil)
		}
	}
	return checks
}

// TestCheckersCompare wants checkers that can be compared, also those within others: the
// director does, to tell the check between from the one that decides.
func TestCheckersCompare(t *testing.T) {
	for name, c := range serviceChecks(t, "9") {
		if !reflect.ValueOf(c).Comparable() {
			t.Errorf("%s: a %T cannot be compared", name, c)
		}
	}
}

// TestBadPeersOfServices runs every service, new ones too, against servers of
// another protocol. The check ends, is down, and its error is one line without the
// password and not the fault of this host.
func TestBadPeersOfServices(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"silent":            func(conn net.Conn) { io.Copy(io.Discard, conn) },
		"closes at once":    func(net.Conn) {},
		"sends no text":     func(conn net.Conn) { io.WriteString(conn, "\xff\x00\x1b[31m\r\n\r\n"); io.Copy(io.Discard, conn) },
		"sends without end": func(conn net.Conn) { endless(conn, strings.Repeat("\x00", 4<<10)) },
		"lines without end": func(conn net.Conn) { endless(conn, strings.Repeat("5 what?\r\n", 400)) },
		"repeats requests":  func(conn net.Conn) { io.Copy(conn, conn) },
	} {
		t.Run(name, func(t *testing.T) {
			e := engine.New(engine.Options{})
			var wg sync.WaitGroup
			for name, check := range serviceChecks(t, listening(t, serve)) {
				wg.Go(func() {
					began := time.Now()
					res := e.Ask(t.Context(), check, 300*time.Millisecond, 1)
					eventually.InTime(t, name, began, time.Second)
					judge(t, name, res.Err, res.Local)
				})
			}
			wg.Wait()
		})
	}
}

// judge fails the test unless err is a good error of a check of a bad peer.
func judge(t *testing.T, name string, err error, local bool) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: up, want down", name)
	case local:
		t.Errorf("%s: %v: is the fault of this host, want the peer's", name, err)
	case strings.ContainsAny(err.Error(), "\r\n\x00\x1b") || strings.Contains(err.Error(), password):
		t.Errorf("%s: the error %q is not one line without the password", name, err)
	}
}

// listening returns the port of a server on loopback that runs serve for each
// connection.
func listening(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	return strconv.Itoa(int(lab.ServeAt(t, "127.0.0.1:0", serve).Port()))
}

func endless(conn net.Conn, text string) {
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// FuzzServices feeds the dialogue of every service, new ones too, with arbitrary
// bytes, in one piece and cut in two. It must not panic, consume more than it got,
// or end with an error other than one line without the password.
func FuzzServices(f *testing.F) {
	for _, answer := range []string{"", "220 ready\r\n250 ok\r\n", "+OK\r\n", "* OK ready\r\n", "HTTP/1.1 200 OK\r\n\r\n", "+PONG\r\n", "VERSION 1\r\n", "\x00\x00\x00\x04\x01\x00\x00\x00"} {
		f.Add([]byte(answer), uint16(3))
	}
	checks := serviceChecks(f, "9")
	f.Fuzz(func(t *testing.T, answer []byte, cut uint16) {
		for name, check := range checks {
			if talker, ok := check.(checker.Talker); ok {
				feed(t, name, talker.Dialogue(), answer, int(cut))
			}
		}
	})
}

// feed runs one dialogue with an answer.
func feed(t *testing.T, name string, d checker.Dialogue, answer []byte, cut int) {
	t.Helper()
	if d == nil {
		return // the connection alone decides
	}
	step := d.Next(nil, false)
	for at, used := min(cut, len(answer)), 0; !step.Done && step.StartTLS == nil && step.Follow == nil; at = len(answer) {
		eof := at == len(answer)
		step = d.Next(answer[used:at], eof)
		if used += step.Consumed; used > at {
			t.Fatalf("%s: %d bytes of %d were consumed", name, used, at)
		}
		if eof {
			break
		}
	}
	if step.Err == nil {
		return
	}
	if text := step.Err.Error(); strings.ContainsAny(text, "\r\n\x00\x1b") || strings.Contains(text, password) {
		t.Errorf("%s: the error %q is not one line without the password", name, text)
	}
}
