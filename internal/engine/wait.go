package engine

import (
	"os"
	"syscall"
	"time"
)

const (
	// muchRead is the amount of unread input above which the Dialogue processes it
	// in a goroutine of its own: it reads all of it again at each step.
	muchRead = 16 << 10
	// inARow is the number of reads after which a run lets others go on.
	inARow = 16
)

// await leaves the run to the batch it began in, and later to the loop.
func (r *run) await() {
	c := &r.conn
	events := uint32(syscall.EPOLLIN | syscall.EPOLLRDHUP)
	if c.phase == connecting || len(c.out.data) > 0 {
		events |= syscall.EPOLLOUT
	}
	r.wait.until = r.attempt.deadline
	if c.resends() {
		r.wait.until = earlier(r.attempt.deadline, time.Now().Add(c.target.Resend))
	}
	if batch := r.wait.batch; batch != nil {
		r.wait.batch = nil
		batch.join(r, events)
		return
	}
	r.leaveToLoop(events)
}

// awaitAgain is await after an event that brought nothing. epoll reported the other
// events of that moment with it and would not report them again.
func (r *run) awaitAgain() {
	r.conn.socket.away = true
	r.await()
}

// leaveToLoop leaves the run to the loop.
func (r *run) leaveToLoop(events uint32) {
	if err := r.engine.loop.leave(r, events); err != nil {
		r.endConnection(err)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// onEvent goes on after an event of the socket.
func (r *run) onEvent() {
	// epoll reports several events once and together: whichever came, the run goes
	// on until the kernel has nothing more.
	if r.conn.phase == connecting && !r.connected() {
		return
	}
	if r.sendRest() {
		r.receive()
	}
}

// sendRest sends the unsent bytes, as many as the socket takes without waiting. It
// returns false if the connection has ended.
func (r *run) sendRest() bool {
	c := &r.conn
	if len(c.out.data) == 0 {
		return true
	}
	if err := c.flush(); err != nil && !c.lost(err) {
		r.endConnection(err)
		return false
	}
	return true
}

// onTime goes on when the time of the wait has come without an event.
func (r *run) onTime(now time.Time) {
	c := &r.conn
	if !c.resends() || !now.Before(r.attempt.deadline) || r.ctx.Err() != nil {
		r.endConnection(os.ErrDeadlineExceeded)
		return
	}
	if _, err := c.socket.write(c.last); err != nil {
		c.gone = fromPeer(err)
		r.receive() // an answer may have come before the error
		return
	}
	r.await()
}

// receive takes in the bytes that have come and lets the Dialogue answer.
func (r *run) receive() {
	c := &r.conn
	for range inARow {
		if len(c.in.data) >= mostUnread {
			r.endConnection(errTooLong)
			return
		}
		more, err := c.receive()
		switch {
		case err != nil:
			r.endConnection(fromPeer(err))
			return
		case !more:
			r.await()
			return
		case c.target.Slow || len(c.in.data) > muchRead:
			c.socket.away = true
			r.alone(r.judge)
			return
		case !r.takeStep():
			return
		}
	}
	r.awaitAgain() // after the others
}
