package bench

import (
	"net/netip"
	"syscall"
)

// crowd is from how many addresses on one socket listens for all of them: a
// process may not have so many descriptors. It costs the servers a system call
// for each connection, and none of them can have a fault.
const crowd = 16_000

// called is the target that a connection was made to, nil if it is none of ours.
func (s *server) called(fd int) *target {
	name, err := syscall.Getsockname(fd)
	local, ok := name.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		return nil
	}
	if i := index(netip.AddrFrom4(local.Addr)); i >= 0 && i < len(s.targets) {
		return &s.targets[i]
	}
	return nil
}

// index is the i whose Addr is addr.
func index(addr netip.Addr) int {
	b := addr.As4()
	return (int(b[1])-1)*250*256 + int(b[2])*250 + int(b[3]) - 1
}
