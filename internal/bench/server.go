// Package bench measures what checks cost and how soon faults are noticed. It
// has the load side, a process of its own whose CPU does not count; benchmarks
// of schedule and engine together against a minimal program in C that does the
// same checks; and a comparison of the whole program with its peers.
package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// okAnswer is what the servers answer to whatever they are asked.
const okAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"

// A Fault is what is wrong with a server.
type Fault string

// The faults.
const (
	None      Fault = "none"
	Refused   Fault = "refused"   // nobody listens
	Silent    Fault = "silent"    // connections are accepted and nothing is said
	BlackHole Fault = "blackhole" // after a connection or two nothing comes back at all
)

// Addr is the i-th loopback address of the servers.
func Addr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 1, byte(i / 250), byte(1 + i%250)})
}

// Serve answers on n addresses and one port until stdin ends, and says
// "ready PORT" on stdout when it can be asked. Every other address, the odd
// ones, has the fault. Lines on stdin are orders, see orders.go.
func Serve(n int, fault Fault, stdin, stdout *os.File) error {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer syscall.Close(epoll)
	s := &server{
		epoll: epoll, targets: make([]target, n),
		listeners: map[int32]*target{}, mute: map[int32]*target{},
	}
	if err := s.listen(fault); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "ready %d\n", s.port)
	go func() {
		s.obey(stdin, stdout)
		os.Exit(0)
	}()
	return s.run()
}

// A server listens on many addresses in one thread and answers in as few system
// calls as it can: the less it takes, the less it disturbs what is measured.
type server struct {
	epoll  int
	port   int
	buffer [4096]byte

	mu        sync.Mutex // between one batch of answers and one order
	targets   []target
	listeners map[int32]*target // by descriptor
	mute      map[int32]*target // connections that get no answer
}

// A target is one address that is asked.
type target struct {
	addr  netip.Addr
	fd    int // 0 while nobody listens
	fault Fault
	visits
}

// firstPort is the first port that is tried. Like those of real services it is
// none that the kernel gives to clients.
const firstPort = 8080

// listen opens all listeners, on the first port that the first address has
// free.
func (s *server) listen(fault Fault) (err error) {
	for i := range s.targets {
		s.targets[i] = target{addr: Addr(i), fault: None}
		if i%2 == 1 {
			s.targets[i].fault = fault
		}
	}
	for s.port = firstPort; ; s.port++ {
		if err = s.open(&s.targets[0]); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	for i := 1; i < len(s.targets) && err == nil; i++ {
		err = s.open(&s.targets[i])
	}
	return err
}

// open lets t be asked, as its fault permits.
func (s *server) open(t *target) error {
	if t.fault == Refused {
		return nil
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	backlog := 256
	if t.fault == BlackHole {
		backlog = 0 // nobody accepts: it is soon full, and then nothing is answered
	}
	// Connections of the run before may not be forgotten yet.
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: t.addr.As4(), Port: s.port})
	}
	if err == nil {
		err = syscall.Listen(fd, backlog)
	}
	if err != nil {
		syscall.Close(fd)
		return err
	}
	t.fd = fd
	if t.fault == BlackHole {
		return nil
	}
	s.listeners[int32(fd)] = t
	return s.watch(fd)
}

func (s *server) watch(fd int) error {
	return syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

// run accepts and answers for ever.
func (s *server) run() error {
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := syscall.EpollWait(s.epoll, events, -1)
		if err != nil && err != syscall.EINTR {
			return err
		}
		s.serve(events[:max(n, 0)])
	}
}

// serve answers one batch.
func (s *server) serve(events []syscall.EpollEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, event := range events {
		if t, ok := s.listeners[event.Fd]; ok {
			s.accept(t)
		} else {
			s.answer(int(event.Fd))
		}
	}
}

// accept takes one connection, and answers it if the question is there already.
func (s *server) accept(t *target) {
	fd, _, err := syscall.Accept4(t.fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	if err != nil {
		return // it went away again
	}
	t.visited(time.Now())
	if t.fault == Silent {
		s.mute[int32(fd)] = t
	}
	if !s.answer(fd) && s.watch(fd) != nil {
		s.close(fd)
	}
}

// answer answers and closes, unless there is nothing to answer yet.
func (s *server) answer(fd int) (closed bool) {
	n, err := syscall.Read(fd, s.buffer[:])
	if err == syscall.EAGAIN || n > 0 && s.mute[int32(fd)] != nil {
		return false
	}
	if n > 0 {
		_, _ = syscall.Write(fd, []byte(okAnswer)) // to whom it may concern
	}
	s.close(fd)
	return true
}

func (s *server) close(fd int) {
	delete(s.mute, int32(fd))
	syscall.Close(fd)
}
