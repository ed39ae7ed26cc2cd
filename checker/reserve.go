package checker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reserve is the number of descriptors that checks leave to the rest of the
// process: the control socket, a reload, logs and commands work when checks have
// used up all others. It is a quarter of a small limit.
const reserve = 32

// Reserved reports whether fd, opened for a check, belongs to the reserve. The
// kernel hands out the lowest free number, so a high one means that hardly any are
// left. The limit is read each time, since prlimit(1) can change it.
func Reserved(fd int) bool {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return false
	}
	return uint64(fd) >= limit.Cur-min(reserve, limit.Cur/4)
}

// leaveReserve refuses a dialer's socket that belongs to the reserve.
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
