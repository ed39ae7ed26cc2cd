package engine

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
)

// The system calls on non-blocking sockets. None of them waits, so they bypass Go's
// runtime: otherwise it would wake up its monitor thread with each batch of checks,
// which then sleeps and polls some twenty times until the batch is over, and takes
// the processor away from a connect that the network answers within the call.

// Their errors are those of errno(3), 0 is none.

// A kernel makes the calls that decide in which order, and how many at a time,
// the events of a connection reach a conversation. Tests put one of their own
// below the loop, which delivers them in every grouping.
type kernel interface {
	// connect is connect(2).
	connect(fd int, to *sockaddr) syscall.Errno
	// connected reports whether fd has a peer now (getpeername(2)). It changes
	// nothing; a second connect(2) would discard what a peer sent before a reset.
	connected(fd int) bool
	// read is read(2). into is not empty.
	read(fd int, into []byte) (n int, errno syscall.Errno)
	// peek is recv(2) of one byte that stays unread.
	peek(fd int) syscall.Errno
	// send is send(2), without the signal that a closed connection would raise. b
	// is not empty.
	send(fd int, b []byte) (n int, errno syscall.Errno)
	// watch is epoll_ctl(2).
	watch(epoll, op, fd int, events uint32) syscall.Errno
	// lookEpoll is epoll_pwait(2) that does not wait. events is not empty. It
	// fails only when it is interrupted.
	lookEpoll(epoll int, events []syscall.EpollEvent) (n int)
	// lookPoll is ppoll(2) that does not wait. fds is not empty. After an error n
	// is 0.
	lookPoll(fds []unix.PollFd) (n int)
}

// linux is the kernel that the program runs on.
type linux struct{}

// newSocket is socket(2), close-on-exec and not blocking. It fails with EMFILE when
// only the descriptors are left that checks are not to use.
func newSocket(family, kind int) (fd int, errno syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), uintptr(kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC), 0)
	if errno == 0 && checker.Reserved(int(n)) {
		closeSocket(int(n))
		return -1, syscall.EMFILE
	}
	return int(n), errno
}

// connect implements kernel.
func (linux) connect(fd int, to *sockaddr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.bytes)), uintptr(to.size))
	return errno
}

// connected implements kernel.
func (linux) connected(fd int) bool {
	var peer sockaddr
	size := uint32(len(peer.bytes))
	_, _, errno := syscall.RawSyscall(unix.SYS_GETPEERNAME, uintptr(fd), uintptr(unsafe.Pointer(&peer.bytes)), uintptr(unsafe.Pointer(&size)))
	return errno == 0
}

// ownAddr is getsockname(2).
func ownAddr(fd int) (self sockaddr, errno syscall.Errno) {
	size := uint32(len(self.bytes))
	_, _, errno = syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&self.bytes)), uintptr(unsafe.Pointer(&size)))
	return self, errno
}

// read implements kernel.
func (linux) read(fd int, into []byte) (n int, errno syscall.Errno) {
	k, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)))
	return count(k, errno), errno
}

// peek implements kernel.
func (linux) peek(fd int) syscall.Errno {
	var b [1]byte
	_, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK, 0, 0)
	return errno
}

// send implements kernel.
func (linux) send(fd int, b []byte) (n int, errno syscall.Errno) {
	k, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	return count(k, errno), errno
}

// closeSocket is close(2). Without a linger time it does not wait either, and the
// descriptor is free whatever the result.
func closeSocket(fd int) { _, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// watch implements kernel.
func (linux) watch(epoll, op, fd int, events uint32) syscall.Errno {
	e := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	_, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	return errno
}

// lookEpoll implements kernel.
func (linux) lookEpoll(epoll int, events []syscall.EpollEvent) (n int) {
	k, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	return count(k, errno)
}

// lookPoll implements kernel.
func (linux) lookPoll(fds []unix.PollFd) (n int) {
	var now syscall.Timespec
	k, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return count(k, errno)
}

// count is what a system call has counted, 0 if it failed.
func count(n uintptr, errno syscall.Errno) int {
	if errno != 0 {
		return 0
	}
	return int(n)
}
