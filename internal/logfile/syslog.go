package logfile

import (
	"cmp"
	"fmt"
	"net"
	"strings"
	"time"
)

// facilities are the numbers of syslog's facilities (RFC 3164, section 4.1.1).
var facilities = map[string]int{
	"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7,
	"uucp": 8, "cron": 9, "authpriv": 10, "ftp": 11,
	"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

// The severities that are used.
const (
	severityErr  = 3
	severityInfo = 6
)

// KnownFacility reports whether syslog has the facility. As in the original's
// library, case does not count, and LOG_ may precede it.
func KnownFacility(facility string) bool {
	_, ok := facilities[facilityName(facility)]
	return ok
}

func facilityName(facility string) string {
	return strings.TrimPrefix(strings.ToLower(facility), "log_")
}

// priority is a facility's priority at a severity. An unknown facility is "daemon":
// the line is more important than its facility.
func priority(facility string, severity int) int {
	number, ok := facilities[facilityName(facility)]
	if !ok {
		number = facilities["daemon"]
	}
	return number<<3 | severity
}

// sendTimeout limits one datagram to a syslog daemon that does not read.
const sendTimeout = time.Second

// A datagrams sink sends each line as one datagram to the syslog daemon's socket,
// and reconnects after a failure: the daemon may have been restarted.
type datagrams struct {
	socket  string
	conn    net.Conn
	timeout time.Duration // of one datagram, 0 is sendTimeout
}

// write implements sink. A line that cannot be sent does not affect the next ones.
func (d *datagrams) write(lines []line) (err error) {
	for i := range lines {
		if failed := d.send(lines[i].text); failed != nil {
			err = fmt.Errorf("sending to syslog: %w", failed)
			continue
		}
		lines[i].written = true
	}
	return err
}

func (d *datagrams) send(text []byte) error {
	if d.conn != nil && d.try(text) == nil {
		return nil
	}
	d.reopen()
	// Connecting a datagram socket never waits: a timeout could only come from a
	// busy machine.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: d.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	d.conn = conn
	return d.try(text)
}

func (d *datagrams) try(text []byte) error {
	if err := d.conn.SetWriteDeadline(time.Now().Add(cmp.Or(d.timeout, sendTimeout))); err != nil {
		return err
	}
	_, err := d.conn.Write(text)
	return err
}

// reopen implements sink.
func (d *datagrams) reopen() {
	if d.conn != nil {
		d.conn.Close()
		d.conn = nil
	}
}

// close implements sink.
func (d *datagrams) close() { d.reopen() }
