package logfile

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// syslogd listens where a syslog daemon would.
func syslogd(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
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
	if err := d.write([][]byte{[]byte("nobody listens")}); err == nil {
		t.Error("sending without a syslog daemon worked")
	}
	first := syslogd(t, socket)
	if err := d.write([][]byte{[]byte("one"), []byte("two")}); err != nil {
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
	if err := d.write([][]byte{[]byte("three")}); err != nil {
		t.Fatal(err)
	}
	if got, want := receive(t, second), "three"; got != want {
		t.Errorf("got datagram %q, want %q", got, want)
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
