package ipvs

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The commands and attributes of include/uapi/linux/ip_vs.h for the state beside the table,
// which moby/ipvs can only read in part.
const (
	cmdNewDaemon = 9
	cmdDelDaemon = 10
	cmdGetDaemon = 11
	cmdSetConfig = 12
	cmdGetConfig = 13

	attrDaemon        = 3
	attrTimeoutTCP    = 4
	attrTimeoutTCPFin = 5
	attrTimeoutUDP    = 6

	daemonState  = 1
	daemonDevice = 2
	daemonID     = 3
	daemonMaxLen = 4
	daemonGroup  = 5
	daemonGroup6 = 6
	daemonPort   = 7
)

// SyncDaemons implements Beside.
func (k *Kernel) SyncDaemons() ([]SyncDaemon, error) {
	var list []SyncDaemon
	err := k.use(func(l link) error {
		list = nil
		return l.ask(unix.NLM_F_DUMP, cmdGetDaemon, nil, func(typ uint16, value []byte) {
			if typ == attrDaemon {
				list = append(list, parseSyncDaemon(value))
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the sync daemons: %w", err)
	}
	slices.SortFunc(list, func(a, b SyncDaemon) int { return cmp.Compare(a.Role, b.Role) })
	return list, nil
}

// StartSync implements Beside.
func (k *Kernel) StartSync(d SyncDaemon) error {
	err := d.check()
	if err == nil {
		err = k.order(cmdNewDaemon, daemonAttr(d))
	}
	return refuseBeside(d.String(), d.Device, err)
}

// StopSync implements Beside.
func (k *Kernel) StopSync(r SyncRole) error {
	a := nl.NewRtAttr(attrDaemon, nil)
	a.AddRtAttr(daemonState, nl.Uint32Attr(uint32(r)))
	return refuseBeside(StopSyncWords(r), "", k.order(cmdDelDaemon, a))
}

// Timeouts implements Beside.
func (k *Kernel) Timeouts() (Timeouts, error) {
	var t Timeouts
	err := k.use(func(l link) error {
		return l.ask(unix.NLM_F_ACK, cmdGetConfig, nil, func(typ uint16, value []byte) {
			seconds := time.Duration(native32(value)) * time.Second
			switch typ {
			case attrTimeoutTCP:
				t.TCP = seconds
			case attrTimeoutTCPFin:
				t.TCPFin = seconds
			case attrTimeoutUDP:
				t.UDP = seconds
			}
		})
	})
	if err != nil {
		return Timeouts{}, fmt.Errorf("reading the timeouts of connections: %w", err)
	}
	return t, nil
}

// SetTimeouts implements Beside. The kernel leaves a timeout for which it gets 0.
func (k *Kernel) SetTimeouts(t Timeouts) error {
	err := t.check()
	if err == nil {
		seconds := func(typ int, d time.Duration) nl.NetlinkRequestData {
			return nl.NewRtAttr(typ, nl.Uint32Attr(uint32(d/time.Second)))
		}
		err = k.order(cmdSetConfig, seconds(attrTimeoutTCP, t.TCP), seconds(attrTimeoutTCPFin, t.TCPFin), seconds(attrTimeoutUDP, t.UDP))
	}
	return refuseBeside(t.String(), "", err)
}

// order has the kernel do something that has no answer but an error.
func (k *Kernel) order(cmd uint8, about ...nl.NetlinkRequestData) error {
	return k.use(func(l link) error { return l.order(cmd, about) })
}

// ask implements link.
func (l *kernelLink) ask(flags int, cmd uint8, about []nl.NetlinkRequestData, each func(uint16, []byte)) error {
	return l.doubt(l.socket.exchange(flags, cmd, about, each))
}

// order implements link.
func (l *kernelLink) order(cmd uint8, about []nl.NetlinkRequestData) error {
	return l.doubt(l.socket.order(cmd, about))
}

// order sends an order and, in the same datagram, a question. The kernel gives no answer to
// an order that ends with EINTR, and that is how a sync daemon stops that was started just
// before: its thread never ran. The answer to the question ends the waiting; an order that
// has none by then is done.
func (s *socket) order(cmd uint8, about []nl.NetlinkRequestData) error {
	text := s.append(nil, unix.NLM_F_ACK, cmd, about...)
	first := s.seq
	text = s.append(text, unix.NLM_F_ACK, cmdGetConfig)
	var refused error
	err := s.ask(text, func(m message) bool {
		last, no := m.verdict()
		if last && m.seq == first {
			refused = no
		}
		return last && m.seq == s.seq
	})
	return cmp.Or(err, refused)
}

func daemonAttr(d SyncDaemon) nl.NetlinkRequestData {
	d = d.Effective()
	a := nl.NewRtAttr(attrDaemon, nil)
	a.AddRtAttr(daemonState, nl.Uint32Attr(uint32(d.Role)))
	a.AddRtAttr(daemonDevice, nl.ZeroTerminated(d.Device))
	a.AddRtAttr(daemonID, nl.Uint32Attr(uint32(d.ID)))
	if d.MaxLen != 0 {
		a.AddRtAttr(daemonMaxLen, nl.Uint16Attr(d.MaxLen))
	}
	group := daemonGroup
	if d.Group.Is6() {
		group = daemonGroup6
	}
	a.AddRtAttr(group, d.Group.AsSlice())
	a.AddRtAttr(daemonPort, nl.Uint16Attr(d.Port))
	return a
}

func parseSyncDaemon(b []byte) SyncDaemon {
	var d SyncDaemon
	for typ, v := range attributes(b) {
		switch typ {
		case daemonState:
			d.Role = SyncRole(native32(v))
		case daemonDevice:
			d.Device = text(v)
		case daemonID:
			d.ID = uint8(native32(v))
		case daemonMaxLen:
			d.MaxLen = native16(v)
		case daemonGroup, daemonGroup6:
			d.Group, _ = netip.AddrFromSlice(v)
		case daemonPort:
			d.Port = native16(v)
		}
	}
	return d
}
