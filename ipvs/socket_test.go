package ipvs

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// socketPair is a socket and the other end, where a test stands for the kernel.
func socketPair(t *testing.T) (*socket, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{family: 29, file: os.NewFile(uintptr(fds[0]), "ours"), buffer: make([]byte, datagramSize)}
	kernel := os.NewFile(uintptr(fds[1]), "kernel")
	t.Cleanup(func() {
		s.close()
		kernel.Close()
	})
	return s, kernel
}

func tell(t *testing.T, kernel *os.File, datagrams ...[]byte) {
	t.Helper()
	for _, d := range datagrams {
		if _, err := kernel.Write(d); err != nil {
			t.Fatal(err)
		}
	}
}

// listed is a message of a list.
func listed(seq uint32, attributes ...[]byte) []byte {
	req := nl.NewNetlinkRequest(29, unix.NLM_F_MULTI)
	req.Seq = seq
	req.AddData(&nl.Genlmsg{Command: cmdGetDestination, Version: genlVersion})
	req.AddRawData(join(attributes...))
	return req.Serialize()
}

// finished is the end of a list.
func finished(seq uint32) []byte {
	req := nl.NewNetlinkRequest(unix.NLMSG_DONE, unix.NLM_F_MULTI)
	req.Seq = seq
	req.AddRawData([]byte{0, 0, 0, 0})
	return req.Serialize()
}

// An answer of the kernel to an earlier request is dropped.
func TestSocketPassesOverOldAnswers(t *testing.T) {
	s, kernel := socketPair(t)
	tell(t, kernel, answerTo(0, syscall.EPERM), join(answerTo(2, syscall.ENOENT), answerTo(3, 0)))
	answers, err := s.write(deletions(3))
	if err != nil || answers[0] != nil || !errors.Is(answers[1], syscall.ENOENT) || answers[2] != nil {
		t.Errorf("answers %v, error %v", answers, err)
	}
	want := netip.MustParseAddrPort("10.1.0.1:80")
	one := nl.NewRtAttr(attrDestination, nil)
	one.AddRtAttr(destinationAddress, want.Addr().AsSlice())
	one.AddRtAttr(destinationPort, nl.BEUint16Attr(want.Port()))
	tell(t, kernel, answerTo(3, 0), join(listed(4, one.Serialize()), listed(4, attribute(99, nil), one.Serialize())), finished(4))
	var got []netip.AddrPort
	err = s.dump(cmdGetDestination, attrDestination, nil, func(b []byte) { got = append(got, parseDestination(b, false).AddrPort) })
	if diff := cmp.Diff([]netip.AddrPort{want, want}, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || err != nil {
		t.Errorf("error %v; list (-want +got):\n%s", err, diff)
	}
}

func TestSocketTellsRefusals(t *testing.T) {
	s, kernel := socketPair(t)
	tell(t, kernel, answerTo(1, syscall.EPERM))
	if err := s.readEach(nil); !errors.Is(err, syscall.EPERM) || !isAnswer(err) {
		t.Errorf("reading without rights: %v, want %v", err, syscall.EPERM)
	}
}

// A socket that fails, or is closed under a call, ends the call with an error that
// is no answer.
func TestSocketFails(t *testing.T) {
	s, kernel := socketPair(t)
	go func() {
		_, _ = kernel.Read(make([]byte, datagramSize)) // it is being waited for
		s.close()
	}()
	if _, err := s.write(deletions(2)); err == nil || isAnswer(err) || !strings.HasPrefix(err.Error(), "waiting for the kernel's answer: ") {
		t.Errorf("closed while waiting: %v", err)
	}
	if err := s.readEach(nil); err == nil || isAnswer(err) || !strings.HasPrefix(err.Error(), "asking the kernel: ") {
		t.Errorf("asking after it was closed: %v", err)
	}
	s, kernel = socketPair(t)
	kernel.Close()
	if err := s.readEach(nil); err == nil || isAnswer(err) {
		t.Errorf("with nobody at the other end: %v", err)
	}
}
