// Package ping sends the ICMP echo requests of a whole process over one socket
// for each address family.
package ping

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/ldirectord/ldirectord/internal/origin"
)

// A Pinger sends the echo requests of all ping checks of a process, over one socket
// for each address family and origin. Every answer is read once and goes to the waiting check.
// (With a socket for each check every one of them would receive every answer: with
// a few hundred at once, live servers would seem down.)
//
// The zero Pinger is ready; it opens the sockets at the first use. Any number of
// goroutines may use it.
type Pinger struct {
	mu      sync.Mutex
	closed  bool
	sockets map[socketKey]*echoSocket
}

type socketKey struct {
	ipv6 bool
	from origin.Origin
}

// Close closes the sockets and waits for their goroutines. Waiting calls of Ping
// return an error.
func (p *Pinger) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, s := range p.sockets {
		errs = append(errs, s.close())
	}
	p.sockets = nil
	return errors.Join(errs...)
}

// socket returns the socket for addr's family and from.
func (p *Pinger) socket(addr netip.Addr, from *origin.Origin) (*echoSocket, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	f, key := family4, socketKey{ipv6: addr.Is6()}
	if key.ipv6 {
		f = family6
	}
	if from != nil {
		key.from = *from
	}
	if s := p.sockets[key]; s != nil && !s.broken() {
		return s, nil
	}
	opened, err := openEchoSocket(f, from)
	if err != nil {
		return nil, err
	}
	if p.sockets == nil {
		p.sockets = make(map[socketKey]*echoSocket)
	}
	p.sockets[key] = opened
	return opened, nil
}

// Ping sends one echo request to addr, from the origin of ctx, and returns nil when its answer arrives.
// ctx's deadline is the only timeout; when ctx ends first the error is ctx.Err().
// An UnsentError is the fault of this host; any other error comes from the network:
// the system call's error, or a router's report that addr is unreachable.
func (p *Pinger) Ping(ctx context.Context, addr netip.Addr) error {
	addr = addr.Unmap()
	if !addr.IsValid() {
		return errors.New("no address to ping")
	}
	s, err := p.socket(addr, origin.From(ctx))
	if err != nil {
		return UnsentError{err}
	}
	e, err := s.expect(addr)
	if err != nil {
		return UnsentError{err}
	}
	defer s.forget(e)
	if err := s.send(e); err != nil {
		return err
	}
	select {
	case err := <-e.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return UnsentError{ErrClosed}
	}
}

// An UnsentError means that this host cannot ping at all; it is no evidence about
// the address.
type UnsentError struct{ Err error }

// Error implements error.
func (e UnsentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e UnsentError) Unwrap() error { return e.Err }

// ErrClosed is the cause of an UnsentError after Close, or when the socket failed.
var ErrClosed = errors.New("the socket for pings was closed")

var errTooManyPings = errors.New("too many pings at once")

// cookieLen is the number of random bytes in a request: only a host that received
// the request can answer it.
const cookieLen = 16

// An echo is a request waiting for its answer.
type echo struct {
	addr   netip.Addr
	seq    uint16
	cookie [cookieLen]byte
	answer chan error // holds one result: nil means answered
}

// expect registers a request to addr.
func (s *echoSocket) expect(addr netip.Addr) (*echo, error) {
	e := &echo{addr: addr, answer: make(chan error, 1)}
	_, _ = rand.Read(e.cookie[:]) // never fails
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 1<<15 {
		return nil, errTooManyPings
	}
	for s.waiting[s.next] != nil {
		s.next++
	}
	e.seq = s.next
	s.next++
	s.waiting[e.seq] = e
	return e, nil
}

// forget removes a request.
func (s *echoSocket) forget(e *echo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, e.seq)
}

// deliver passes a datagram of the sender from to the waiting request. Datagrams
// for no request are dropped.
func (s *echoSocket) deliver(from netip.Addr, datagram []byte) {
	r, ok := s.parse(from, datagram)
	if !ok || s.raw && r.id != s.id { // the kernel chooses the other socket's id
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.waiting[r.seq]
	if e == nil || e.addr.WithZone("") != r.about.WithZone("") || string(r.payload[:cookieLen]) != string(e.cookie[:]) {
		return
	}
	var answer error
	if r.unreachable {
		answer = fmt.Errorf("unreachable, says %v", from)
	}
	select {
	case e.answer <- answer:
	default: // a second answer
	}
}
