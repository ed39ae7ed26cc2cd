package checker

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/origin"
)

const (
	// maxAnswer limits the bytes that a library may read from the connections of
	// one check; no honest answer comes near it.
	maxAnswer = 1 << 20
	// maxConns limits the connections of one check: FTP needs two, and a server may
	// redirect a client, but not for ever.
	maxConns = 5
)

// A connError is a fault of a check's connections that the dialer detected and the
// library did not.
type connError string

const (
	errTooMuch  connError = "too long an answer"
	errTooOften connError = "too many connections for one check"
	errUnclear  connError = "an answer that could not be understood"
)

// Error implements error.
func (e connError) Error() string { return string(e) }

// A dialer opens the connections of one check on behalf of a library. They end with
// the check, whatever the library does or forgets: no deadline is later than the
// check's, and the end of its context or Close closes them.
type dialer struct {
	ctx      context.Context
	deadline time.Time // zero is none
	begin    time.Time
	stop     func() bool // stops watching ctx

	mu     sync.Mutex
	closed bool
	conns  []net.Conn
	left   int   // bytes that may still be read
	broken error // the first error of a connection
}

// newDialer returns the dialer of a check that begins now. It must be closed.
func newDialer(ctx context.Context) *dialer {
	d := &dialer{ctx: ctx, begin: time.Now(), left: maxAnswer}
	d.deadline, _ = ctx.Deadline()
	d.stop = context.AfterFunc(ctx, d.closeConns)
	return d
}

// DialContext opens a connection. Libraries take it as their dialer; their ctx can
// only shorten the time that the check's context allows.
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := d.ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	netDialer := net.Dialer{Deadline: d.deadline, KeepAlive: -1, Control: d.control}
	conn, err := netDialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, d.note(err)
	}
	return d.adopt(conn)
}

// control prepares a socket before it connects.
func (d *dialer) control(network, addr string, c syscall.RawConn) error {
	if err := leaveReserve(network, addr, c); err != nil {
		return err
	}
	if err := origin.From(d.ctx).Control(network, addr, c); err != nil {
		return LocalError{err}
	}
	return nil
}

// dial is DialContext for a library without contexts.
func (d *dialer) dial(network, addr string) (net.Conn, error) {
	return d.DialContext(d.ctx, network, addr)
}

// adopt registers conn as a connection of the check.
func (d *dialer) adopt(conn net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	switch {
	case d.closed:
		err = net.ErrClosed
	case len(d.conns) == maxConns:
		err = errTooOften
		d.broken = err
	default:
		err = conn.SetDeadline(d.deadline)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	d.conns = append(d.conns, conn)
	return &boundConn{Conn: conn, dialer: d}, nil
}

// Close closes all connections, including those that are still opening.
func (d *dialer) Close() {
	d.stop()
	d.closeConns()
}

func (d *dialer) closeConns() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, conn := range d.conns {
		_ = conn.Close() // a library may have closed it already
	}
}

// note keeps the first error of a connection and returns it.
func (d *dialer) note(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.broken = err
	}
	return err
}

// spend counts n bytes that were read.
func (d *dialer) spend(n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left -= n; d.left < 0 {
		return errTooMuch
	}
	return nil
}

// A boundConn is a connection that cannot outlive its check.
type boundConn struct {
	net.Conn
	dialer *dialer
}

// Read implements net.Conn. It fails when the check has used up its maxAnswer.
func (c *boundConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if tooMuch := c.dialer.spend(n); tooMuch != nil {
		return 0, c.dialer.note(tooMuch)
	}
	if err != nil {
		return n, c.dialer.note(err)
	}
	return n, nil
}

// Write implements net.Conn.
func (c *boundConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		return n, c.dialer.note(err)
	}
	return n, nil
}

// A notedConn is TLS over a boundConn, which cannot see how TLS ends.
type notedConn struct {
	net.Conn
	dialer *dialer
}

// Read implements net.Conn.
func (c notedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		return n, c.dialer.note(err)
	}
	return n, nil
}

// SetDeadline implements net.Conn. The check's deadline is the latest.
func (c *boundConn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(c.clip(t)) }

// SetReadDeadline implements net.Conn. The check's deadline is the latest.
func (c *boundConn) SetReadDeadline(t time.Time) error { return c.Conn.SetReadDeadline(c.clip(t)) }

// SetWriteDeadline implements net.Conn. The check's deadline is the latest.
func (c *boundConn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.clip(t)) }

func (c *boundConn) clip(t time.Time) time.Time {
	if limit := c.dialer.deadline; !limit.IsZero() && (t.IsZero() || t.After(limit)) {
		return limit
	}
	return t
}
