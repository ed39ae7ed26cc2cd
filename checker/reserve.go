package checker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reserve is how many descriptors checks leave to the rest of the process: the
// control socket, a reload, logs and commands work when checks have used up all
// others. Of a small limit it is a quarter.
const reserve = 32

// Reserved says whether fd, which was opened for a check, is one of those that
// checks leave to the rest of the process. The kernel hands out the lowest free
// number, so that a high one means that hardly any are left. The limit is looked
// at each time, since prlimit(1) can change it.
func Reserved(fd int) bool {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return false
	}
	return uint64(fd) >= limit.Cur-min(reserve, limit.Cur/4)
}

// leaveReserve refuses a socket of a dialer that is one of the reserve.
func leaveReserve(_, _ string, c syscall.RawConn) error {
	full := false
	if err := c.Control(func(fd uintptr) { full = Reserved(int(fd)) }); err != nil {
		return err
	}
	if full {
		return syscall.EMFILE
	}
	return nil
}
