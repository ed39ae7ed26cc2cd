package acceptance

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A watch sees every change that anybody asks of the director's IPVS: it
// listens on an nlmon device, to which the kernel copies all netlink messages
// of the namespace.
type watch struct {
	s      *site
	socket int
	family uint16
}

// The commands of generic netlink's family IPVS that change something
// (enum in include/uapi/linux/ip_vs.h).
var changes = map[uint8]string{
	1: "NEW_SERVICE", 2: "SET_SERVICE", 3: "DEL_SERVICE",
	5: "NEW_DEST", 6: "SET_DEST", 7: "DEL_DEST",
	9: "NEW_DAEMON", 10: "DEL_DAEMON", 12: "SET_CONFIG", 16: "ZERO", 17: "FLUSH",
}

// watch begins to watch.
func (s *site) watch() *watch {
	s.t.Helper()
	s.ip("director", "link add nlmon0 type nlmon", "link set nlmon0 up")
	w := &watch{s: s}
	err := s.In("director", func() error {
		f, err := netlink.GenlFamilyGet("IPVS")
		if err != nil {
			return err
		}
		w.family = f.ID
		w.socket, err = listenOn("nlmon0")
		return err
	})
	if err != nil {
		s.t.Fatalf("watching netlink: %v", err)
	}
	s.t.Cleanup(func() { unix.Close(w.socket) })
	return w
}

// in is the watch for a subtest.
func (w *watch) in(t testing.TB) *watch {
	its := *w
	its.s = w.s.in(t)
	return &its
}

// listenOn opens a packet socket on a device.
func listenOn(name string) (socket int, err error) {
	dev, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	everything := nl.Swap16(unix.ETH_P_ALL)
	socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(everything))
	if err != nil {
		return 0, err
	}
	return socket, errors.Join(
		unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: everything, Ifindex: dev.Index}),
	)
}

// taken are the changes that were asked for since it was called last.
func (w *watch) taken() []string {
	w.s.t.Helper()
	var asked []string
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(w.socket, buf, 0)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			w.s.t.Fatalf("watching netlink: %v", err)
		}
		asked = append(asked, w.read(buf[:n])...)
	}
	missed, err := unix.GetsockoptTpacketStats(w.socket, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil || missed.Drops > 0 {
		w.s.t.Fatalf("watching netlink: %d messages lost, %v", missed.Drops, err)
	}
	return asked
}

// read finds the requests for a change in one datagram of netlink messages.
func (w *watch) read(p []byte) []string {
	var asked []string
	for len(p) > unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(p))
		if size <= unix.SizeofNlMsghdr || size > len(p) {
			break
		}
		family, flags := binary.NativeEndian.Uint16(p[4:]), binary.NativeEndian.Uint16(p[6:])
		if family == w.family && flags&unix.NLM_F_REQUEST != 0 {
			if name, ok := changes[p[unix.SizeofNlMsghdr]]; ok {
				asked = append(asked, name)
			}
		}
		p = p[min(len(p), (size+3)&^3):]
	}
	return asked
}
