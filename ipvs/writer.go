package ipvs

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A writer makes many changes of destinations with two system calls: the
// messages travel in one datagram, of which generic netlink takes one after
// another, and only the last asks for an answer; the others are answered if
// they fail. moby/ipvs makes three calls for each change and clears 64 KiB for
// its answer, which is the better part of the time when a rack dies.
type writer struct {
	family uint16
	socket *os.File
	seq    uint32 // of the last message
}

const (
	cmdNewDestination    = 5
	cmdSetDestination    = 6
	cmdDeleteDestination = 7

	genlVersion = 1
)

// newWriter opens a socket in the calling thread's network namespace.
func newWriter(family uint16) (*writer, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	// Answers without a copy of the request. Kernels before 4.3 send it all the same.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &writer{family: family, socket: os.NewFile(uintptr(fd), "netlink")}, nil
}

func (w *writer) close() { w.socket.Close() }

// write makes changes of destinations and returns the kernel's answer to each,
// nil or a syscall.Errno. After an error it is not known what was made. close
// ends it.
func (w *writer) write(changes []Change) ([]error, error) {
	first := w.seq + 1
	text := w.request(changes)
	if _, err := w.socket.Write(text); err != nil {
		return nil, fmt.Errorf("writing to the IPVS table: %w", notAnswer(err))
	}
	answers := make([]error, len(changes))
	buffer := make([]byte, 8<<10)
	for {
		n, err := w.socket.Read(buffer)
		if err != nil {
			return nil, fmt.Errorf("waiting for the kernel's answer: %w", notAnswer(err))
		}
		if takeAnswers(buffer[:n], first, answers) {
			return answers, nil
		}
	}
}

// request is the messages for changes. The last is answered whatever comes of
// it, and so after all the others.
func (w *writer) request(changes []Change) []byte {
	var text []byte
	for i, c := range changes {
		w.seq++
		flags := 0
		if i == len(changes)-1 {
			flags = unix.NLM_F_ACK
		}
		req := nl.NewNetlinkRequest(int(w.family), flags)
		req.Seq = w.seq
		req.AddData(&nl.Genlmsg{Command: destinationCommand(c.Op), Version: genlVersion})
		req.AddData(keyAttr(c.Service.Key))
		req.AddData(destinationAttr(c.Destination))
		text = append(text, req.Serialize()...)
	}
	return text
}

func destinationCommand(op Op) uint8 {
	switch op {
	case AddDestination:
		return cmdNewDestination
	case EditDestination:
		return cmdSetDestination
	default:
		return cmdDeleteDestination
	}
}

func destinationAttr(d Destination) nl.NetlinkRequestData {
	a := nl.NewRtAttr(attrDestination, nil)
	a.AddRtAttr(destinationAddress, d.Addr().AsSlice())
	a.AddRtAttr(destinationPort, nl.BEUint16Attr(d.Port()))
	a.AddRtAttr(destinationForward, nl.Uint32Attr(uint32(d.Forward)))
	a.AddRtAttr(destinationWeight, nl.Uint32Attr(uint32(d.Weight)))
	a.AddRtAttr(destinationUpper, nl.Uint32Attr(d.Upper))
	a.AddRtAttr(destinationLower, nl.Uint32Attr(d.Lower))
	return a
}

// takeAnswers puts the answers in a datagram where they belong: a message's
// number less first is the place of its change. It reports whether the last was
// among them. Answers to earlier requests, and what is not whole, is passed over.
func takeAnswers(b []byte, first uint32, answers []error) (last bool) {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(native32(b))
		if n < unix.SizeofNlMsghdr || n > len(b) {
			return last
		}
		place := native32(b[8:]) - first
		if native16(b[4:]) == unix.NLMSG_ERROR && n >= unix.SizeofNlMsghdr+4 && uint64(place) < uint64(len(answers)) {
			if no := int32(native32(b[unix.SizeofNlMsghdr:])); no != 0 {
				answers[place] = syscall.Errno(-no)
			}
			last = last || int(place) == len(answers)-1
		}
		b = b[min(len(b), (n+3)&^3):]
	}
	return last
}

// notAnswer is an error of the socket, whose number must not pass for the
// kernel's answer to a change.
func notAnswer(err error) error { return errors.New(err.Error()) }
