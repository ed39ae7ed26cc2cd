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
)

// A Fault is the fault of a server.
type Fault string

// The faults.
const (
	None      Fault = "none"
	Refused   Fault = "refused"   // no listener
	Silent    Fault = "silent"    // connections are accepted and never answered
	BlackHole Fault = "blackhole" // after a connection or two nothing comes back at all
)

// Addr is the i-th loopback address of the servers.
func Addr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(1 + i/(250*256)), byte(i / 250), byte(1 + i%250)})
}

// Serve answers on n addresses and one port until stdin ends, and prints "ready
// PORT" on stdout when it is ready. Every other address, the odd ones, has the
// fault; only servers of HTTP can have one. Lines on stdin are orders, see
// orders.go. addr is the i-th address, nil is Addr.
func Serve(n int, fault Fault, service Service, addr func(i int) netip.Addr, stdin, stdout *os.File) error {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer syscall.Close(epoll)
	raiseLimit(n)
	s := &server{
		epoll: epoll, service: service, addr: addr, targets: make([]target, n),
		listeners: map[int32]*target{}, mute: map[int32]*target{},
	}
	if addr == nil {
		s.addr = Addr
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
// calls as possible: the less it uses, the less it disturbs the measurement.
type server struct {
	epoll   int
	port    int
	service Service
	addr    func(i int) netip.Addr
	buffer  [4096]byte

	mu        sync.Mutex // between one batch of answers and one order
	targets   []target
	all       *target           // listens for all of them; nil: each does for itself
	listeners map[int32]*target // by descriptor
	mute      map[int32]*target // connections that get no answer
}

// A target is one address that clients check.
type target struct {
	addr  netip.Addr
	fd    int // 0 without a listener
	fault Fault
	visits
}

// firstPort is the first port to try. As a real service's port, it is none that the
// kernel gives to clients.
const firstPort = 8080

// listen opens all listeners, on the first port that the first address has
// free.
func (s *server) listen(fault Fault) (err error) {
	for i := range s.targets {
		s.targets[i] = target{addr: s.addr(i), fault: None}
		if i%2 == 1 {
			s.targets[i].fault = fault
		}
	}
	first, others := &s.targets[0], s.targets[1:]
	if len(s.targets) > crowd {
		s.all = &target{addr: netip.IPv4Unspecified(), fault: None}
		first, others = s.all, nil
	}
	for s.port = firstPort; ; s.port++ {
		if err = s.open(first); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	for i := 0; i < len(others) && err == nil; i++ {
		err = s.open(&others[i])
	}
	return err
}

// raiseLimit lets this process have n sockets and as many connections again, if
// it may.
func raiseLimit(n int) {
	var limit syscall.Rlimit
	want := uint64(2*n + 1000)
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < want {
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: want, Max: max(want, limit.Max)})
	}
}

// open opens t, as its fault permits.
func (s *server) open(t *target) error {
	switch {
	case t.fault == Refused:
		return nil
	case s.service == HTTPS:
		return s.openTLS(t)
	}
	kind := syscall.SOCK_STREAM
	if s.service == DNS {
		kind = syscall.SOCK_DGRAM
	}
	fd, err := syscall.Socket(syscall.AF_INET, kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	backlog := 4096
	if t.fault == BlackHole {
		backlog = 0 // without accept the queue is soon full, and further connections stay unanswered
	}
	// Connections of the run before may not be forgotten yet.
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: t.addr.As4(), Port: s.port})
	}
	if err == nil && kind == syscall.SOCK_STREAM {
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
		switch t, ok := s.listeners[event.Fd]; {
		case !ok:
			s.answer(int(event.Fd))
		case s.service == DNS:
			s.answerDNS(t)
		default:
			s.accept(t)
		}
	}
}
