package ipvs

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	cmdNewDestination    = 5
	cmdSetDestination    = 6
	cmdDeleteDestination = 7
)

// write makes changes of destinations and returns the kernel's answer to each, nil
// or a syscall.Errno. After an error any of them may have been made.
//
// It takes two system calls: the messages travel in one datagram, which generic
// netlink processes one by one, and only the last requests an answer; the others
// are answered if they fail. moby/ipvs makes three calls for each change and clears
// 64 KiB for its answer, which is most of the time when a rack dies.
func (s *socket) write(changes []Change) ([]error, error) {
	first := s.seq + 1
	answers := make([]error, len(changes))
	err := s.ask(s.request(changes), func(m message) bool { return takeAnswer(m, first, answers) })
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// request returns the messages for changes. The last is answered in any case, and
// so after all the others.
func (s *socket) request(changes []Change) []byte {
	var text []byte
	for i, c := range changes {
		flags := 0
		if i == len(changes)-1 {
			flags = unix.NLM_F_ACK
		}
		text = s.append(text, flags, destinationCommand(c.Op), keyAttr(c.Service.Key), destinationAttr(c.Destination))
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

// takeAnswer stores an answer: its number less first is the index of its change. It
// reports whether that was the last. Answers to other requests are skipped.
func takeAnswer(m message, first uint32, answers []error) (last bool) {
	is, err := m.verdict()
	place := m.seq - first
	if !is || uint64(place) >= uint64(len(answers)) {
		return false
	}
	answers[place] = err
	return int(place) == len(answers)-1
}
