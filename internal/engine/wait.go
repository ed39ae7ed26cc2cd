package engine

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	// muchRead is how much unread input is judged in a goroutine of its own,
	// for it is looked at again and again.
	muchRead = 16 << 10
	// inARow is how many reads one conversation has before others have their
	// turn.
	inARow = 16
)

// await leaves the conversation to the crowd it began in, and later to the loop.
func (c *conversation) await() {
	events := uint32(syscall.EPOLLIN | syscall.EPOLLRDHUP)
	if c.phase == connecting || len(c.out.data) > 0 {
		events |= syscall.EPOLLOUT
	}
	c.wake = c.deadline
	if c.resends() {
		c.wake = earlier(c.deadline, time.Now().Add(c.target.Resend))
	}
	if crowd := c.crowd; crowd != nil {
		c.crowd = nil
		crowd.join(c, events)
		return
	}
	c.leaveToLoop(events)
}

// awaitAgain is await after an event that brought nothing. What else it told of
// would not be told again.
func (c *conversation) awaitAgain() {
	c.socket.away = true
	c.await()
}

// leaveToLoop leaves the conversation to the loop.
func (c *conversation) leaveToLoop(events uint32) {
	if err := c.engine.loop.leave(c, events); err != nil {
		c.left(err)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// resends reports whether the last datagram is to be sent again: datagrams get
// lost.
func (c *conversation) resends() bool {
	return c.isUDP() && c.target.Resend > 0 && len(c.last) > 0
}

// stir goes on because something has happened to the socket.
func (c *conversation) stir() {
	// One event can tell of several things, and tells of them once: whatever it
	// was for, the conversation goes on until the kernel has nothing more.
	if c.phase == connecting && !c.connected() {
		return
	}
	if c.goOnSending() {
		c.listen()
	}
}

// goOnSending sends what was left unsent, as much as goes without waiting. It
// returns false if the visit is over.
func (c *conversation) goOnSending() bool {
	if len(c.out.data) == 0 {
		return true
	}
	if err := c.flush(); err != nil && !c.lost(err) {
		c.left(err)
		return false
	}
	return true
}

// lost reports whether err, of sending, is the end of the connection, and keeps
// the first cause of it: what the peer sent before can still be read, and
// explains more.
func (c *conversation) lost(err error) bool {
	if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrReset) {
		return false
	}
	if errors.Is(c.gone, ErrClosed) {
		c.gone = err
	}
	return true
}

// late goes on because it is time.
func (c *conversation) late(now time.Time) {
	if !c.resends() || !now.Before(c.deadline) || c.ctx.Err() != nil {
		c.left(os.ErrDeadlineExceeded)
		return
	}
	if _, err := c.socket.write(c.last); err != nil {
		c.gone = fromPeer(err)
		c.listen() // an answer may have come before the error
		return
	}
	c.await()
}

// listen takes in what has come, and has the Dialogue answer.
func (c *conversation) listen() {
	for range inARow {
		if len(c.in.data) >= mostUnread {
			c.left(errTooLong)
			return
		}
		more, err := c.receive()
		switch {
		case err != nil:
			c.left(fromPeer(err))
			return
		case !more:
			c.await()
			return
		case c.target.Slow || len(c.in.data) > muchRead:
			c.socket.away = true
			c.alone(c.judge)
			return
		case !c.turn():
			return
		}
	}
	// The others' turn: it goes on when they have had theirs.
	c.awaitAgain()
}

// ended reports whether err is an end of the connection that comes after part of
// an answer, and has it count as the peer's end then: what was said outweighs how
// it was ended. A server that does not read the request before it closes resets
// the connection behind a whole answer.
func (c *conversation) ended(err error) bool {
	err = fromPeer(err)
	if c.partial == 0 || !c.lost(err) {
		return false
	}
	c.eof = true
	return true
}

// receive takes in what has come, if anything has, or the peer's end. A datagram
// outweighs an error that came with it: the kernel hands out the error first,
// whichever of them was first.
func (c *conversation) receive() (more bool, err error) {
	for {
		if c.isUDP() {
			c.in.release() // what is left of the datagram before
		}
		n, errno := c.engine.kernel.read(c.socket.fd, c.in.room())
		c.got(c.in.add(n))
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
		case errno != 0 && !c.isUDP() && c.ended(errno):
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
