package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// maxFollows is how often one attempt may be sent elsewhere.
const maxFollows = 10

// A conversation is one asking of a Talker: attempt after attempt until it is
// up, each over one socket after another where it is sent elsewhere, all under
// one deadline.
//
// It belongs to one goroutine at a time. Its methods go on as far as that goes
// without waiting; then it is left to the loop, or to a goroutine of its own
// (see alone.go), and must not be touched any more.
type conversation struct {
	engine   *Engine
	ctx      context.Context
	talker   checker.Talker
	timeout  time.Duration
	attempts int
	done     func(Result)
	result   Result
	began    time.Time // the first attempt
	excused  bool      // one attempt did not count

	// Of the present attempt.
	deadline time.Time
	stood    time.Duration // as the engine had it
	follows  int
	step     checker.Step // the Dialogue's last word
	sent     excerpt
	received excerpt

	// Of the present visit, which is one connection.
	at       checker.Talker
	target   checker.Target
	dialogue checker.Dialogue
	socket   *socket
	secure   *tls.Conn // over socket, nil in the clear
	phase    phase
	in       inbox
	eof      bool   // the peer will send no more
	gone     error  // what it means if it ends now; udp: the error that came back
	partial  int    // bytes received since something was sent
	out      outbox // of what the steps send
	last     []byte // udp: the datagram sent last

	// While it is left to the crowd or the loop.
	crowd *Crowd    // takes it first, nil is nobody
	wake  time.Time // when it is to go on if nothing happens
	place int       // among the others' times
}

// conversations are those that are over, for use again.
var conversations = sync.Pool{New: func() any { return new(conversation) }}

// attempt begins the next attempt.
func (c *conversation) attempt(now time.Time) {
	c.result.Attempts++
	c.follows = 0
	c.deadline, c.stood = now.Add(c.timeout), c.engine.stood()
	c.visit(c.talker)
}

// visit connects to where t wants to be, to talk there.
func (c *conversation) visit(t checker.Talker) {
	c.at, c.step, c.phase = t, checker.Step{Done: true}, connecting
	c.dialogue, c.eof, c.gone, c.partial, c.out, c.last = nil, false, ErrClosed, 0, outbox{}, nil
	from := c.target.From
	if err := c.guard(func() error { c.target = t.Target(); return nil }); err != nil {
		c.left(err)
		return
	}
	if c.follows > 0 {
		c.target.From = from
	}
	c.in.pool = &streamBuffers
	if c.isUDP() {
		c.in.pool, c.gone = &datagramBuffers, nil
	}
	if c.target.Host != "" {
		c.alone(c.lookUp)
		return
	}
	c.open(c.target.Addr)
}

func (c *conversation) isUDP() bool { return c.target.Network == "udp" }

// open opens the socket to addr.
func (c *conversation) open(addr netip.AddrPort) {
	s, err := c.engine.open(c.target, addr)
	if err != nil {
		c.left(err)
		return
	}
	c.socket = s
	if c.target.TLS == nil && !s.udp && !s.maybeSelf {
		c.speakFirst()
		return
	}
	if c.connected() {
		c.await()
	}
}

// speakFirst has the Dialogue speak, if it is the one that begins, before anybody
// knows that the connection stands. If that can be sent it does, which saves to
// ask the socket; else it is sent as soon as the connection stands.
func (c *conversation) speakFirst() {
	var first checker.Step
	err := c.guard(func() error {
		if c.enter(); c.dialogue != nil {
			first = c.dialogue.Next(nil, false)
		}
		return nil
	})
	if err == nil && (len(first.Send) == 0 || first.Done || first.Follow != nil || first.StartTLS != nil) {
		c.dialogue = nil // it begins anew when the connection stands
		if c.connected() {
			c.await()
		}
		return
	}
	if err != nil {
		c.left(err)
		return
	}
	c.step = first
	c.out.add(first.Send, first.CloseWrite)
	if c.sendFirst() {
		c.await()
	}
}

// sendFirst sends what the Dialogue begins with, which goes once the connection
// stands. It returns true if the conversation goes on here.
func (c *conversation) sendFirst() bool {
	if !c.goOnSending() {
		return false
	}
	if len(c.out.data) == len(c.step.Send) {
		c.awaitAgain()
		return false
	}
	c.phase = talking
	return true
}

// connected goes on if the connection stands. It returns true if the
// conversation goes on here.
func (c *conversation) connected() bool {
	if c.dialogue != nil { // it speaks first
		return c.sendFirst()
	}
	settled, gone, err := c.socket.established()
	if gone != nil {
		c.gone = gone
		if c.target.TLS != nil {
			err = fmt.Errorf("%w%s", gone, handshaking)
		}
	}
	switch {
	case !settled:
		c.awaitAgain()
	case err != nil:
		c.left(err)
	case c.target.TLS != nil:
		c.alone(func() { c.talkAlone(c.target.TLS) })
	default:
		return c.begin()
	}
	return false
}

// enter makes the Dialogue, nil if there is none, and tells it where it is.
func (c *conversation) enter() {
	c.dialogue = c.at.Dialogue()
	if located, ok := c.dialogue.(checker.Located); ok {
		if local, errno := ownAddr(c.socket.fd); errno == 0 {
			located.At(local.addrPort())
		}
	}
}

// begin begins the Dialogue, if there is one. It returns true if the
// conversation goes on here.
func (c *conversation) begin() bool {
	c.phase = talking
	err := c.guard(func() error { c.enter(); return nil })
	if err != nil || c.dialogue == nil {
		c.left(err)
		return false
	}
	return c.turn()
}

// turn has the Dialogue's next Step made. It returns false if the conversation
// goes on elsewhere or not at all.
func (c *conversation) turn() bool {
	over, err := c.next()
	switch {
	case over:
		c.left(err)
	case c.step.StartTLS != nil:
		c.alone(func() { c.talkAlone(c.step.StartTLS) })
	default:
		return true
	}
	return false
}

// next has the Dialogue look at what was received and sends what it says to
// that. The visit may be over then; the error is that of the connection and not
// the Dialogue's verdict.
func (c *conversation) next() (over bool, err error) {
	err = c.guard(func() error { c.step = c.dialogue.Next(c.in.data, c.eof); return nil })
	if err != nil {
		return true, err
	}
	c.in.consume(c.step.Consumed)
	if c.eof && c.step.Err != nil && errors.Is(c.gone, ErrReset) {
		c.step.Err = fmt.Errorf("%w: %w", ErrReset, c.step.Err)
	}
	switch err = c.send(); {
	case c.step.Done || c.step.Follow != nil:
		return true, nil // an answer to what was sent last is not awaited
	case err != nil && !c.lost(err):
		return true, err
	}
	if c.eof {
		return true, c.gone
	}
	return false, nil
}

// send does what the step says about sending.
func (c *conversation) send() error {
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

// flush sends of what is unsent as much as goes without waiting.
func (c *conversation) flush() error {
	n, err := c.socket.write(c.out.data)
	c.sent.add(c.out.data[:n])
	if c.out.data = c.out.data[n:]; err == nil && len(c.out.data) > 0 {
		return nil
	}
	if err == nil && c.out.end {
		err = c.socket.closeWrite()
	}
	c.out = outbox{}
	return fromPeer(err)
}

// got takes note of what was received.
func (c *conversation) got(b []byte) {
	c.partial += len(b)
	c.received.add(b)
}

// left ends a visit. err is that of the connection and not the Dialogue's
// verdict.
func (c *conversation) left(err error) {
	c.leave()
	follow := c.step.Follow
	switch {
	case err != nil:
		if c.isExcused() {
			c.excused = true
			c.attempts++
		}
		c.over("", c.reason(err))
	case follow == nil:
		c.over(c.step.Detail, c.step.Err)
	case c.follows == maxFollows:
		c.over("", errTooFar)
	default:
		c.follows++
		c.visit(follow)
	}
}

// leave ends the connection, if there is one.
func (c *conversation) leave() {
	c.in.release()
	if c.secure != nil {
		_ = c.secure.Close() // says goodbye and closes the socket under it
		c.secure, c.socket = nil, nil
	}
	if c.socket != nil {
		_ = c.socket.Close() // the verdict stands already
		c.socket = nil
	}
}

// over ends an attempt.
func (c *conversation) over(detail string, err error) {
	r := &c.result
	r.Detail, r.Err, r.Sent, r.Received = detail, err, nil, nil
	if err != nil || c.engine.trace {
		r.Sent, r.Received = c.sent.take(), c.received.take()
	}
	c.sent.release()
	c.received.release()
	if err != nil && c.ctx.Err() == nil && r.Attempts < c.attempts {
		c.attempt(time.Now())
		return
	}
	c.finish()
}

// finish hands the result over.
func (c *conversation) finish() {
	e, done, r := c.engine, c.done, c.result
	r.Took = time.Since(c.began)
	if c.excused {
		r.Attempts--
	}
	r.settle(c.ctx)
	*c = conversation{} // what it points at is free
	conversations.Put(c)
	e.ended()
	done(r)
}

// reason is what err means to a person if it is that of a deadline.
func (c *conversation) reason(err error) error {
	switch {
	case !isTimeout(err):
		return err
	case c.partial > 0:
		return noEnd(c.timeout, c.partial)
	}
	return noAnswer(c.timeout, c.phase)
}

// guard calls f, in which a Talker or Dialogue is asked. It must harm no other
// check if that panics.
func (c *conversation) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.step = checker.Step{}
			err = broken(p)
		}
	}()
	return f()
}
