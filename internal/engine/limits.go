package engine

import (
	"fmt"
	"os"
	"syscall"
)

const (
	// reserve is how many descriptors are left to the rest of the program: the
	// kernel's table, logs, mails, commands, library checks.
	reserve = 1024
	// mostTalks bounds the memory that a mass failure can take. A check that
	// waits costs about 1 KB here and more in the kernel.
	mostTalks = 32 << 10
)

// descriptors raises the limit of open descriptors as far as it may and returns
// how many of them sockets of checks can have.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return reserve
	}
	if limit.Cur < limit.Max {
		raised := syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return forSockets(limit.Cur)
}

// forSockets is how many of limit descriptors sockets of checks can have.
func forSockets(limit uint64) int {
	n := min(limit, mostTalks+reserve)
	return int(max(n-min(reserve, n/2), 1))
}

// lowestEphemeral is the lowest port that the kernel may choose for us, for both
// families.
func lowestEphemeral() uint16 {
	var low uint16
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(text), &low)
	}
	if err != nil {
		return 1024 // unknown: below it the kernel chooses none, whatever the range is
	}
	return low
}
