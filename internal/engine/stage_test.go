package engine

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A stage is a kernel that holds back what happens to connections. They are
// real ones, over loopback, but stand, and are noticed, no sooner than a test
// says: what happens within one round reaches the engine as one event. With that
// the engine sees what a wire, or a busy machine, makes it see now and then.
type stage struct {
	linux
	way way
	t   testing.TB

	mu       sync.Mutex // held during a round
	busy     bool       // the loop handles the events it has seen
	events   int        // that it has seen
	held     map[int]*heldSocket
	listener net.Listener
	release  func()   // gives the listener's port back, which refuses until then
	peer     net.Conn // of the present connection
	datagram *net.UDPConn
	client   int // its other end
	secure   *tls.Config
	over     func() bool // the check has a result
	wg       sync.WaitGroup
}

// A heldSocket is a socket whose connect has begun and has no answer yet.
type heldSocket struct {
	to     *sockaddr
	epoll  int
	events uint32 // that are waited for, 0 is none yet
}

// A way is how a check begins.
type way string

const (
	byLoop  way = "loop"  // waited for by the loop
	byBatch way = "batch" // the first round comes while the batch looks
	bySelf  way = "self"  // to a port that may be the check's own
)

func newStage(t testing.TB, network string, secure *tls.Config, way way) (*stage, netip.AddrPort) {
	t.Helper()
	s := &stage{t: t, way: way, held: map[int]*heldSocket{}, secure: secure, client: -1}
	if network == "udp" {
		var err error
		if s.datagram, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			t.Fatal(err)
		}
		return s, s.datagram.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	var err error
	var addr netip.AddrPort
	addr, s.release = lab.TakePort(t)
	if s.listener, err = net.Listen("tcp", addr.String()); err != nil {
		t.Fatal(err)
	}
	return s, addr
}

func (s *stage) close() {
	if s.listener != nil {
		s.listener.Close()
		s.release()
	}
	if s.datagram != nil {
		s.datagram.Close()
	}
	if s.peer != nil {
		s.peer.Close()
	}
	s.wg.Wait()
}

// connect implements kernel. It begins what a later round ends.
func (s *stage) connect(fd int, to *sockaddr) syscall.Errno {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = fd
	if s.datagram != nil {
		return s.linux.connect(fd, to)
	}
	s.held[fd] = &heldSocket{to: to}
	return syscall.EINPROGRESS
}

func (s *stage) isHeld(fd int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[fd] != nil
}

// connected implements kernel.
func (s *stage) connected(fd int) bool { return !s.isHeld(fd) && s.linux.connected(fd) }

// read implements kernel.
func (s *stage) read(fd int, into []byte) (n int, errno syscall.Errno) {
	if s.isHeld(fd) {
		return 0, syscall.EAGAIN
	}
	return s.linux.read(fd, into)
}

// peek implements kernel.
func (s *stage) peek(fd int) syscall.Errno {
	if s.isHeld(fd) {
		return syscall.EAGAIN
	}
	return s.linux.peek(fd)
}

// send implements kernel.
func (s *stage) send(fd int, b []byte) (n int, errno syscall.Errno) {
	if s.isHeld(fd) {
		return 0, syscall.EAGAIN
	}
	return s.linux.send(fd, b)
}

// watch implements kernel.
func (s *stage) watch(epoll, op, fd int, events uint32) syscall.Errno {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.held[fd]; h != nil {
		h.epoll, h.events = epoll, events
		if op == syscall.EPOLL_CTL_DEL {
			delete(s.held, fd)
		}
		return 0
	}
	return s.linux.watch(epoll, op, fd, events)
}

// lookEpoll implements kernel.
func (s *stage) lookEpoll(epoll int, events []syscall.EpollEvent) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = s.linux.lookEpoll(epoll, events)
	if s.busy = n > 0; s.busy {
		s.events++
	}
	return n
}

// lookPoll implements kernel.
func (s *stage) lookPoll(fds []unix.PollFd) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	real := slices.Clone(fds)
	for i := range real {
		if s.held[int(real[i].Fd)] != nil {
			real[i].Fd = -1 // is left out
		}
	}
	n = s.linux.lookPoll(real)
	for i := range fds {
		fds[i].Revents = real[i].Revents
	}
	return n
}

// What may happen, as scripts write it. Everything else is a text of the server.
const (
	stands  = 'C' // the connection
	refuses = 'R' // the connect; udp: the datagram
	ends    = 'h' // the server's half of the connection
	closes  = 'f'
	resets  = 'x'
	shakes  = 't' // the server shakes hands for TLS and answers there
)

// deliver has all of a round happen before the engine can see any of it.
func (s *stage) deliver(round string, texts map[rune]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, what := range round {
		switch what {
		case stands, refuses:
			s.settle(what)
		case ends:
			s.tcp().CloseWrite()
			s.awaitPoll(unix.POLLRDHUP)
		case closes:
			s.drain() // or it would be a reset
			s.tcp().Close()
			s.awaitPoll(unix.POLLRDHUP)
		case resets:
			s.tcp().SetLinger(0)
			s.tcp().Close()
			s.awaitPoll(unix.POLLHUP)
		case shakes:
			conn, texts := s.tcp(), texts
			s.wg.Go(func() { overTLS(s.secure, answering(texts['w']))(conn) })
		default:
			s.say(texts[what])
		}
	}
}

func (s *stage) tcp() *net.TCPConn { return s.peer.(*net.TCPConn) }

// settle ends the delayed connect.
func (s *stage) settle(how rune) {
	if s.datagram != nil { // a refusal comes after the server has gone
		s.datagram.Close()
		_ = unix.Send(s.client, nil, 0)
		s.awaitPoll(unix.POLLERR)
		return
	}
	fd := s.client
	h := s.held[fd]
	if h == nil {
		s.t.Fatal("there is no connect to settle")
	}
	delete(s.held, fd)
	if how == refuses {
		s.listener.Close()
	}
	switch errno := s.linux.connect(fd, h.to); errno {
	case 0, syscall.EINPROGRESS:
	default:
		s.t.Fatalf("connecting: %v", errno)
	}
	if how == refuses {
		s.awaitPoll(unix.POLLERR)
	} else {
		s.awaitPoll(unix.POLLOUT)
		var err error
		if s.peer, err = s.listener.Accept(); err != nil {
			s.t.Fatal(err)
		}
	}
	if h.events != 0 {
		if errno := s.linux.watch(h.epoll, syscall.EPOLL_CTL_ADD, fd, h.events); errno != 0 {
			s.t.Fatalf("watching: %v", errno)
		}
	}
}

// say sends a text and waits until it lies in the engine's socket, or was read there
// already, as by the goroutine of a TLS handshake.
func (s *stage) say(text string) {
	if s.datagram != nil {
		self, _ := ownAddr(s.client)
		if _, err := s.datagram.WriteToUDPAddrPort([]byte(text), self.addrPort()); err != nil {
			s.t.Fatal(err)
		}
		s.awaitPoll(unix.POLLIN)
		return
	}
	before, _ := unix.IoctlGetInt(s.client, unix.TIOCINQ)
	if _, err := io.WriteString(s.peer, text); err != nil {
		s.t.Fatal(err)
	}
	s.await(fmt.Sprintf("%d more bytes", len(text)), func() bool {
		now, _ := unix.IoctlGetInt(s.client, unix.TIOCINQ)
		return now >= before+len(text) || s.acknowledged() || s.over()
	})
}

// acknowledged reports whether the engine's kernel has all that was sent.
func (s *stage) acknowledged() (all bool) {
	raw, err := s.tcp().SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		unsent, err := unix.IoctlGetInt(int(fd), unix.TIOCOUTQ)
		all = err == nil && unsent == 0
	}); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// drain reads the bytes that have come to the server.
func (s *stage) drain() {
	raw, err := s.tcp().SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		for b := make([]byte, 4096); ; {
			if n, err := unix.Read(int(fd), b); err != nil || n <= 0 {
				return
			}
		}
	})
}

// heard reports whether anything has come to the server.
func (s *stage) heard() (has bool) {
	raw, err := s.tcp().SyscallConn()
	if err != nil {
		return false
	}
	raw.Control(func(fd uintptr) {
		n, _ := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
		has = n > 0
	})
	return has
}

// awaitPoll waits until the engine's socket shows an event, or the check is over: TLS
// reads beside the loop and may have ended it by then.
func (s *stage) awaitPoll(event int16) {
	s.await(fmt.Sprintf("poll event %#x", event), func() bool {
		fds := []unix.PollFd{{Fd: int32(s.client), Events: event}}
		_, err := unix.Poll(fds, 0)
		return err == nil && fds[0].Revents&event != 0 || s.over()
	})
}

// await waits until is says so. Loopback nearly always has delivered by then.
func (s *stage) await(what string, is func() bool) {
	for end := time.Now().Add(ample); !is(); <-time.After(50 * time.Microsecond) {
		if time.Now().After(end) {
			s.t.Fatalf("no %s in %v", what, ample)
		}
	}
}

// A stagedCheck is a kind of conversation, with what a server may say in it.
type stagedCheck struct {
	name  string
	make  func(addr netip.AddrPort) checker.Checker
	texts map[rune]string
	tls   bool // ends in TLS, whose bytes a script does not order
	brief bool // waits a second for what does not come
	udp   bool
}

// play runs the check through the rounds and returns its verdict, "waits" if it
// waits for more at the end of them.
func (c stagedCheck) play(t testing.TB, secure *tls.Config, way way, rounds []string) string {
	t.Helper()
	network := "tcp"
	if c.udp {
		network = "udp"
	}
	s, addr := newStage(t, network, secure, way)
	defer s.close()
	e := New(Options{})
	defer e.Close()
	e.kernel, e.loop.kernel = s, s
	if way != bySelf {
		e.ephemeral = 1<<16 - 1
	}
	deadline := ample
	if c.brief {
		deadline = time.Second
	}
	results := make(chan Result, 1)
	s.over = func() bool { return len(results) > 0 }
	done := func(r Result) { results <- r }
	if way == byBatch {
		batch := e.Batch()
		batch.Start(t.Context(), c.make(addr), deadline, 1, done)
		s.deliver(rounds[0], c.texts)
		rounds = rounds[1:]
		batch.Leave()
	} else {
		e.Start(t.Context(), c.make(addr), deadline, 1, done)
	}
	for _, round := range rounds {
		if r := s.rest(e, results, c.tls); r != nil {
			return resultText(r)
		}
		s.deliver(round, c.texts)
	}
	if c.tls {
		return resultText(new(<-results))
	}
	return resultText(s.rest(e, results, false))
}

// rest waits until the engine has nothing to do but to wait, or until the check
// is over: then it returns the result. A check that has gone over to TLS rests
// when it has sent something to the server.
func (s *stage) rest(e *Engine, results <-chan Result, overTLS bool) *Result {
	var result *Result
	s.await("rest", func() bool {
		select {
		case r := <-results:
			result = &r
			return true
		default:
		}
		if overTLS && s.peer != nil && s.heard() {
			return true
		}
		events, _ := s.seen(0)
		e.loop.mu.Lock()
		waiting, epoll := len(e.loop.times), e.loop.epoll
		e.loop.mu.Unlock()
		if waiting == 0 {
			return false
		}
		now, idle := s.seen(epoll)
		return idle && now == events
	})
	return result
}

// seen returns how many events the loop has seen, and whether it has gone on with
// all of them and there are no more.
func (s *stage) seen(epoll int) (events int, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(epoll), Events: unix.POLLIN}}, 0)
	return s.events, err == nil && n == 0 && !s.busy
}

// resultText renders a result, nil that of a waiting check.
func resultText(r *Result) string {
	switch {
	case r == nil:
		return "waits"
	case r.Err != nil:
		return "down: " + r.Err.Error()
	}
	return "up"
}
