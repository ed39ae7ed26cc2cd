package ipvs

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A socket talks to the kernel's IPVS over generic netlink: one request after
// another, each until the last message of its answer. It has no timeouts: close
// ends a call.
type socket struct {
	family uint16
	file   *os.File
	seq    uint32 // of the last message sent
	buffer []byte // for a datagram, larger than any of the kernel's
}

const (
	datagramSize = 32 << 10
	genlVersion  = 1
)

// openSocket opens a socket in the calling thread's network namespace.
func openSocket(family uint16) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	// Answers without a copy of the request. Kernels before 4.3 send it anyway.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &socket{family: family, file: os.NewFile(uintptr(fd), "netlink"), buffer: make([]byte, datagramSize)}, nil
}

func (s *socket) close() { s.file.Close() }

// append appends a message with the next number to text.
func (s *socket) append(text []byte, flags int, cmd uint8, attributes ...nl.NetlinkRequestData) []byte {
	s.seq++
	req := nl.NewNetlinkRequest(int(s.family), flags)
	req.Seq = s.seq
	req.AddData(&nl.Genlmsg{Command: cmd, Version: genlVersion})
	for _, a := range attributes {
		req.AddData(a)
	}
	return append(text, req.Serialize()...)
}

// ask sends text, one or more messages, and passes the answers to take until it
// returns true. The message is overwritten after each call.
func (s *socket) ask(text []byte, take func(message) (end bool)) error {
	if _, err := s.file.Write(text); err != nil {
		return fmt.Errorf("asking the kernel: %w", notAnswer(err))
	}
	for {
		n, err := s.file.Read(s.buffer)
		if err != nil {
			return fmt.Errorf("waiting for the kernel's answer: %w", notAnswer(err))
		}
		for m := range messages(s.buffer[:n]) {
			if take(m) {
				return nil
			}
		}
	}
}

// notAnswer is an error of the socket, whose number must not count as the kernel's
// answer.
func notAnswer(err error) error { return errors.New(err.Error()) }

// A message is one netlink message.
type message struct {
	kind uint16
	seq  uint32 // number of the request
	body []byte
}

// messages iterates over the messages of a datagram, up to the first incomplete
// one.
func messages(b []byte) iter.Seq[message] {
	return func(yield func(message) bool) {
		for len(b) >= unix.SizeofNlMsghdr {
			n := int(native32(b))
			if n < unix.SizeofNlMsghdr || n > len(b) {
				return
			}
			if !yield(message{kind: native16(b[4:]), seq: native32(b[8:]), body: b[unix.SizeofNlMsghdr:n]}) {
				return
			}
			b = b[min(len(b), (n+3)&^3):]
		}
	}
}

// verdict reports whether m is the kernel's last message, and its content: nil or a
// syscall.Errno. The end of a list may lack a number.
func (m message) verdict() (last bool, err error) {
	if m.kind != unix.NLMSG_ERROR && m.kind != unix.NLMSG_DONE {
		return false, nil
	}
	no := int32(native32(m.body))
	switch {
	case no != 0:
		err = syscall.Errno(-no)
	case m.kind == unix.NLMSG_ERROR && len(m.body) < 4:
		err = syscall.EBADMSG
	}
	return true, err
}
