package status

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// A certificate is that of a door that speaks TLS. It is read again when its files have
// changed, so that a renewed one needs no reload; while they cannot be used, the last one
// counts.
type certificate struct {
	file, key string

	mu     sync.Mutex
	last   *tls.Certificate
	marks  [2]time.Time // when the files were last changed, as of last
	looked time.Time
	broken error // why the files cannot be used as they are now, nil if they can
}

// certificateAge is how long the files of a certificate are not looked at again.
const certificateAge = time.Second

func newCertificate(file, key string) *certificate {
	return &certificate{file: file, key: key}
}

// fault is why there is no certificate, nil if there is one.
func (c *certificate) fault() error {
	_, err := c.get(nil)
	return err
}

// get is the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && time.Since(c.looked) < certificateAge {
		return c.last, nil
	}
	c.looked = time.Now()
	marks := [2]time.Time{changedAt(c.file), changedAt(c.key)}
	if c.last != nil && marks == c.marks {
		c.broken = nil
		return c.last, nil
	}
	pair, err := tls.LoadX509KeyPair(c.file, c.key)
	if c.broken = err; err == nil {
		c.last, c.marks = &pair, marks
	}
	if c.last == nil {
		return nil, fmt.Errorf("statuscert: %w", err)
	}
	return c.last, nil
}

// faults are what is wrong with the certificate of a place: that the files cannot be used any more,
// and that clients refuse the one in use.
func (c *certificate) faults(at string) (list []report.Fault) {
	last, err := c.get(nil)
	if err != nil {
		return nil // the place is closed, which is a fault of its own
	}
	c.mu.Lock()
	broken := c.broken
	c.mu.Unlock()
	if broken != nil {
		list = append(list, report.Fault{What: "the last certificate of " + at + " is used, not the renewed one", Error: "statuscert: " + broken.Error()})
	}
	if text, refused := agingOf(last, time.Now()); refused {
		list = append(list, report.Fault{What: "clients refuse the certificate of " + at, Error: "statuscert: it " + text})
	}
	return list
}

// changedAt is when a file was last changed, zero if it cannot be seen.
func changedAt(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// over makes a listener speak TLS. Without a certificate (nil) it speaks plain text.
func (c *certificate) over(l net.Listener) net.Listener {
	if c == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12})
}

// guestOf is the connection of a gate below conn, which may speak TLS.
func guestOf(conn net.Conn) (*guest, bool) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	g, ok := conn.(*guest)
	return g, ok
}
