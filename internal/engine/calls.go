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

// Their errors are those of errno(3), 0 is none.

// newSocket is socket(2), close-on-exec and not blocking.
func newSocket(family, kind int) (fd int, errno syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), uintptr(kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC), 0)
	return int(n), errno
}

// connect is connect(2).
func connect(fd int, to *sockaddr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.bytes)), uintptr(to.size))
	return errno
}

// bind is bind(2).
func bind(fd int, to *sockaddr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&to.bytes)), uintptr(to.size))
	return errno
}

// ownAddr is getsockname(2).
func ownAddr(fd int) (self sockaddr, errno syscall.Errno) {
	size := uint32(len(self.bytes))
	_, _, errno = syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&self.bytes)), uintptr(unsafe.Pointer(&size)))
	return self, errno
}

// read is read(2). into is not empty.
func read(fd int, into []byte) (n int, errno syscall.Errno) {
	k, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)))
	return count(k, errno), errno
}

// send is send(2), without the signal that a closed connection would raise. b is
// not empty.
func send(fd int, b []byte) (n int, errno syscall.Errno) {
	k, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	return count(k, errno), errno
}

// closeSocket is close(2). Without a linger time it does not wait either, and the
// descriptor is free whatever it says.
func closeSocket(fd int) { _, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// watchSocket is epoll_ctl(2).
func watchSocket(epoll, op, fd int, events uint32) syscall.Errno {
	e := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	_, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	return errno
}

// lookEpoll is epoll_pwait(2) that does not wait. events is not empty. It fails
// only when it is interrupted.
func lookEpoll(epoll int, events []syscall.EpollEvent) (n int) {
	k, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	return count(k, errno)
}

// look is ppoll(2) that does not wait. fds is not empty. After an error n is 0.
func look(fds []unix.PollFd) (n int) {
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
