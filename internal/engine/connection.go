package engine

import (
	"crypto/tls"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// A connection is one socket to one target, with the Dialogue that runs over it.
// Its methods do not wait, apart from those over TLS. They know nothing of attempts
// and deadlines: the run decides what follows from their results.
type connection struct {
	talker   checker.Talker
	target   checker.Target // of talker
	dialogue checker.Dialogue
	step     checker.Step // the Dialogue's last
	socket   *socket
	secure   *tls.Conn // over socket, nil in the clear
	phase    phase
	in       inbox
	out      outbox    // the unsent bytes of the steps
	last     []byte    // udp: the last datagram sent
	eof      bool      // the peer will send no more
	gone     error     // the error of an end at this moment; udp: the error that came back
	partial  int       // bytes received since the last sending
	excerpts *excerpts // of the attempt
}

// reset prepares the connection for t. The excerpts continue those of the
// connections before it.
func (c *connection) reset(t checker.Talker, e *excerpts) {
	*c = connection{talker: t, step: checker.Step{Done: true}, phase: connecting, gone: ErrClosed, excerpts: e}
}

// aim determines the target.
func (c *connection) aim() error {
	c.target = c.talker.Target()
	c.in.pool = &streamBuffers
	if c.isUDP() {
		c.in.pool, c.gone = &datagramBuffers, nil
	}
	return nil
}

func (c *connection) isUDP() bool { return c.target.Network == "udp" }

// resends reports whether the last datagram has to be sent again when no answer
// comes: the network may lose one.
func (c *connection) resends() bool {
	return c.isUDP() && c.target.Resend > 0 && len(c.last) > 0
}

// established reports whether the attempt to connect has ended, and why there is no
// connection.
func (c *connection) established() (settled bool, err error) {
	settled, gone, err := c.socket.established()
	if gone != nil {
		c.gone = gone
		if c.target.TLS != nil {
			err = fmt.Errorf("%w%s", gone, handshaking)
		}
	}
	return settled, err
}

// enter makes the Dialogue, nil if the Talker has none, and gives it the local
// address if it needs that.
func (c *connection) enter() {
	c.dialogue = c.talker.Dialogue()
	if located, ok := c.dialogue.(checker.Located); ok {
		if local, errno := ownAddr(c.socket.fd); errno == 0 {
			located.At(local.addrPort())
		}
	}
}

// takeStep gives the received bytes to the Dialogue and sends what its step
// contains. over means that the connection has served its purpose; then err is the
// connection's and not the Dialogue's verdict.
func (c *connection) takeStep() (over bool, err error) {
	err = guard(func() error { c.step = c.dialogue.Next(c.in.data, c.eof); return nil })
	if err != nil {
		return true, err
	}
	c.in.consume(c.step.Consumed)
	if c.eof && c.step.Err != nil && errors.Is(c.gone, ErrReset) {
		c.step.Err = fmt.Errorf("%w: %w", ErrReset, c.step.Err)
	}
	switch err = c.send(); {
	case c.step.Done || c.step.Follow != nil:
		return true, nil // the last bytes sent need no answer
	case err != nil && !c.lost(err):
		return true, err
	}
	if c.eof {
		return true, c.gone
	}
	return false, nil
}

// send executes the sending part of the step.
func (c *connection) send() error {
	if len(c.step.Send) == 0 && !c.step.CloseWrite {
		return nil
	}
	c.partial = 0
	if c.secure != nil {
		return c.sendSecurely()
	}
	c.out.add(c.step.Send, c.step.CloseWrite)
	if c.isUDP() {
		c.last = append(c.last[:0], c.step.Send...)
	}
	return c.flush()
}

// flush sends as many unsent bytes as the socket takes without waiting.
func (c *connection) flush() error {
	n, err := c.socket.write(c.out.data)
	c.excerpts.sent.add(c.out.data[:n])
	if c.out.data = c.out.data[n:]; err == nil && len(c.out.data) > 0 {
		return nil
	}
	if err == nil && c.out.end {
		err = c.socket.closeWrite()
	}
	c.out = outbox{}
	return fromPeer(err)
}

// lost reports whether err, of sending, is the end of the connection, and keeps its
// first cause. What the peer sent before that can still be read, and explains more.
func (c *connection) lost(err error) bool {
	if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrReset) {
		return false
	}
	if errors.Is(c.gone, ErrClosed) {
		c.gone = err
	}
	return true
}

// received records received bytes.
func (c *connection) received(b []byte) {
	c.partial += len(b)
	c.excerpts.received.add(b)
}

// receive takes in the bytes that have come, if any, or the peer's end. A datagram
// outweighs an error that came with it: the kernel returns the error first,
// whichever of them was first.
func (c *connection) receive() (more bool, err error) {
	for {
		if c.isUDP() {
			c.in.release() // the rest of the datagram before
		}
		n, errno := c.socket.kernel.read(c.socket.fd, c.in.room())
		c.received(c.in.add(n))
		switch {
		case errno == syscall.EAGAIN:
			if c.isUDP() {
				return false, c.gone
			}
			return false, nil
		case errno == syscall.EINTR:
			continue
		case errno != 0 && c.isUDP() && c.gone == nil:
			c.gone = errno
			continue
		case errno != 0 && !c.isUDP() && c.endsAnswer(errno):
			return true, nil
		case errno != 0:
			return false, errno
		case n > 0:
			return true, nil
		case !c.isUDP():
			c.eof = true
			return true, nil
		}
		// An empty datagram says nothing.
	}
}

// endsAnswer reports whether err is an end of the connection that comes after part
// of an answer, and then treats it as the peer's ordinary end: the answer outweighs
// the way in which the connection ended. A server that closes before it has read
// the whole request resets the connection after a complete answer.
func (c *connection) endsAnswer(err error) bool {
	err = fromPeer(err)
	if c.partial == 0 || !c.lost(err) {
		return false
	}
	c.eof = true
	return true
}

// reason returns err, or the error text of a timeout if err is one.
func (c *connection) reason(err error, timeout time.Duration) error {
	switch {
	case !isTimeout(err):
		return err
	case c.partial > 0:
		return noEnd(timeout, c.partial)
	}
	return noAnswer(timeout, c.phase)
}

// close closes the socket, if there is one.
func (c *connection) close() {
	c.in.release()
	if c.secure != nil {
		_ = c.secure.Close() // sends close_notify and closes the socket
		c.secure, c.socket = nil, nil
	}
	if c.socket != nil {
		_ = c.socket.Close() // the verdict is already known
		c.socket = nil
	}
}
