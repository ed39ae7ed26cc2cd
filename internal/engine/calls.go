package engine

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls on sockets that do not block. None of them waits, and so
// Go's runtime is not told of them: told, it wakes up its monitor thread with
// each batch of checks, which then sleeps and looks some twenty times until the
// batch is over, and takes the processor away from a connect that the network
// answers within the call.

// done is what a system call has returned.
func done(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// newSocket is socket(2), close-on-exec and not blocking.
func newSocket(family, kind int) (fd int, err error) {
	n, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), uintptr(kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC), 0)
	return done(n, errno)
}

// connect is connect(2).
func connect(fd int, to *sockaddr) error {
	n, _, errno := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.bytes)), uintptr(to.size))
	_, err := done(n, errno)
	return err
}

// bind is bind(2).
func bind(fd int, to *sockaddr) error {
	n, _, errno := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&to.bytes)), uintptr(to.size))
	_, err := done(n, errno)
	return err
}

// ownAddr is getsockname(2).
func ownAddr(fd int) (self sockaddr, err error) {
	size := uint32(len(self.bytes))
	n, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&self.bytes)), uintptr(unsafe.Pointer(&size)))
	_, err = done(n, errno)
	return self, err
}

// read is read(2). into is not empty.
func read(fd int, into []byte) (n int, err error) {
	k, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)))
	return done(k, errno)
}

// send is send(2), without the signal that a closed connection would raise. b is
// not empty.
func send(fd int, b []byte) (n int, err error) {
	k, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	return done(k, errno)
}

// closeSocket is close(2). Without a linger time it does not wait either.
func closeSocket(fd int) error {
	n, _, errno := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	_, err := done(n, errno)
	return err
}

// watchSocket is epoll_ctl(2).
func watchSocket(epoll, op, fd int, events uint32) error {
	e := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	_, err := done(n, errno)
	return err
}

// lookEpoll is epoll_pwait(2) that does not wait. events is not empty.
func lookEpoll(epoll int, events []syscall.EpollEvent) (n int, err error) {
	k, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	return done(k, errno)
}

// look is ppoll(2) that does not wait. fds is not empty.
func look(fds []unix.PollFd) (n int, err error) {
	var now syscall.Timespec
	k, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return done(k, errno)
}
