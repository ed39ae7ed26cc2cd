package logfile

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/eventually"
)

// syslogd listens where a syslog daemon would.
func syslogd(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(eventually.Limit)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buffer := make([]byte, 1024)
	n, err := conn.Read(buffer)
	if err != nil {
		t.Fatalf("no datagram came: %v", err)
	}
	return string(buffer[:n])
}

func TestDatagramsFollowARestart(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	d := &datagrams{socket: socket}
	defer d.close()
	if err := d.write(linesOf("nobody listens")); err == nil {
		t.Error("sending without a syslog daemon worked")
	}
	first := syslogd(t, socket)
	if err := d.write(linesOf("one", "two")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		if got := receive(t, first); got != want {
			t.Errorf("got datagram %q, want %q", got, want)
		}
	}
	first.Close()
	os.Remove(socket)
	second := syslogd(t, socket)
	if err := d.write(linesOf("three")); err != nil {
		t.Fatal(err)
	}
	if got, want := receive(t, second), "three"; got != want {
		t.Errorf("got datagram %q, want %q", got, want)
	}
}

// A line too long for a datagram does not block the others.
func TestDatagramsLoseOneLine(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	conn := syslogd(t, socket)
	d := &datagrams{socket: socket}
	defer d.close()
	lines := linesOf("one", strings.Repeat("x", 1<<20), "three")
	if err := d.write(lines); err == nil {
		t.Error("a datagram of 1 MiB was sent")
	}
	for _, want := range []string{"one", "three"} {
		if got := receive(t, conn); got != want {
			t.Errorf("got datagram %q, want %q", got, want)
		}
	}
	if n := unwritten(lines); n != 1 {
		t.Errorf("%d lines count as lost, want 1", n)
	}
}

// A syslog daemon that reads slowly gets every line, in order.
func TestSlowSyslog(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	conn := syslogd(t, socket)
	const n = 20_000
	// However slow: the timeout is no part of this test.
	q := newQueue(&datagrams{socket: socket, timeout: eventually.Limit}, note, func(err error) { t.Error(err) })
	for i := range n {
		fmt.Fprintf(q, "line %d", i)
	}
	for i := range n {
		if got, want := receive(t, conn), fmt.Sprintf("line %d", i); got != want {
			t.Fatalf("got datagram %q, want %q", got, want)
		}
	}
	q.close()
	if waiting, dropped := q.load(); waiting != 0 || dropped != 0 {
		t.Errorf("%d lines wait, %d were dropped", waiting, dropped)
	}
}

func TestLogToSyslog(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	conn := syslogd(t, socket)
	l := New(Options{Name: "t.cf", Syslog: socket}, config("local0", ""))
	l.Printf("Added virtual server: %s", "10.0.0.1:80")
	l.Debugf("not shown")
	l.Close()
	want := regexp.MustCompile(`^<134>[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d ldirectord\[\d+\]: Added virtual server: 10\.0\.0\.1:80$`)
	if got := receive(t, conn); !want.MatchString(got) {
		t.Errorf("got datagram %q, want %s", got, want)
	}
}

// TestNoLogFileName: an empty logfile is an unknown facility, from the
// start and after a reload.
func TestNoLogFileName(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	conn := syslogd(t, socket)
	l := New(Options{Name: "t", Syslog: socket}, &conf.Config{})
	l.Printf("the first line")
	if got := receive(t, conn); !strings.Contains(got, "the first line") {
		t.Errorf("got %q", got)
	}
	l.Use(&conf.Config{})
	l.Printf("the second line")
	if got := receive(t, conn); !strings.Contains(got, "the second line") {
		t.Errorf("got %q", got)
	}
	l.Close()
}
