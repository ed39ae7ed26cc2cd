package conf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// A SyncDaemon is what the kernel's sync daemons carry connections over: those of this
// director to others (Master), those of others to this one (Backup). The zero SyncDaemon
// is none.
type SyncDaemon struct {
	Master bool
	Backup bool
	Device string
	ID     int        // 0 as a backup takes those of all
	Group  netip.Addr // multicast; invalid is the kernel's
	Port   int        // 0 is the kernel's
	MTU    int        // 0 is the device's, up to 1500 as a master
}

// On reports whether there is a sync daemon at all.
func (s SyncDaemon) On() bool { return s.Master || s.Backup }

// The bounds of the values of syncdaemon. The kernel of a backup clamps messages of less than
// 1024 bytes; the headers of IPv6 and UDP are 48.
const (
	highestSyncID = 255
	lowestSyncMTU = 1024 + 48
	highestPort   = 65535
	longestDevice = 15
)

const syncDaemonForm = "master|backup|both DEVICE [id N] [group ADDRESS] [port N] [mtu N]"

// readSyncDaemon is syncdaemon = master|backup|both DEVICE [id N] [group ADDRESS] [port N]
// [mtu N], or none.
func readSyncDaemon(_ *location, value string) (SyncDaemon, error) {
	words := strings.Fields(bareNumber(value))
	if len(words) == 1 && words[0] == "none" {
		return SyncDaemon{}, nil
	}
	if len(words) < 2 || len(words)%2 != 0 {
		return SyncDaemon{}, errors.New("syncdaemon must be " + syncDaemonForm + ", or none")
	}
	s := SyncDaemon{
		Master: words[0] == "master" || words[0] == "both",
		Backup: words[0] == "backup" || words[0] == "both",
		Device: words[1],
	}
	switch {
	case !s.On():
		return SyncDaemon{}, fmt.Errorf("syncdaemon: %s is not master, backup or both", words[0])
	case !isDevice(s.Device):
		return SyncDaemon{}, fmt.Errorf("syncdaemon: %s is no name of a device: 1 to %d characters, none of them : or /", s.Device, longestDevice)
	}
	seen := map[string]bool{}
	for i := 2; i < len(words); i += 2 {
		if seen[words[i]] {
			return SyncDaemon{}, fmt.Errorf("syncdaemon: %s is given twice", words[i])
		}
		seen[words[i]] = true
		if err := s.set(words[i], words[i+1]); err != nil {
			return SyncDaemon{}, err
		}
	}
	return s, nil
}

func (s *SyncDaemon) set(name, value string) (err error) {
	switch name {
	case "id":
		s.ID, err = numberWithin("syncdaemon: id", value, 0, highestSyncID)
	case "port":
		s.Port, err = numberWithin("syncdaemon: port", value, 1, highestPort)
	case "mtu":
		s.MTU, err = numberWithin("syncdaemon: mtu", value, lowestSyncMTU, highestPort)
	case "group":
		if s.Group, err = netip.ParseAddr(value); err != nil || !s.Group.IsMulticast() || s.Group.Zone() != "" {
			return fmt.Errorf("syncdaemon: group %s is not a multicast address, such as 224.0.0.81 or ff02::1:81", value)
		}
	default:
		return fmt.Errorf("syncdaemon: %s is not id, group, port or mtu", name)
	}
	return err
}

func numberWithin(what, value string, low, high int) (int, error) {
	n := int(number(value, uint64(high)+1))
	if !isNumber(value) || n < low || n > high {
		return 0, fmt.Errorf("%s must be a whole number from %d to %d", what, low, high)
	}
	return n, nil
}

// IPVSTimeouts are how long the kernel remembers connections without packets. 0 leaves a
// timeout as it is.
type IPVSTimeouts struct {
	TCP    time.Duration // established
	TCPFin time.Duration // after a FIN
	UDP    time.Duration
}

const longestTimeout = 31 * 24 * 60 * 60 // as ipvsadm has it

// readIPVSTimeouts is ipvstimeouts = TCP TCPFIN UDP, in seconds as ipvsadm --set has them,
// or none.
func readIPVSTimeouts(_ *location, value string) (IPVSTimeouts, error) {
	words := strings.Fields(bareNumber(value))
	if len(words) == 1 && words[0] == "none" {
		return IPVSTimeouts{}, nil
	}
	if len(words) != 3 {
		return IPVSTimeouts{}, errors.New("ipvstimeouts must be three numbers of seconds: established TCP, TCP after a FIN, UDP; such as 900 120 300; 0 leaves one as it is")
	}
	var t IPVSTimeouts
	for i, to := range []*time.Duration{&t.TCP, &t.TCPFin, &t.UDP} {
		n, err := numberWithin("ipvstimeouts: "+words[i], words[i], 0, longestTimeout)
		if err != nil {
			return IPVSTimeouts{}, err
		}
		*to = time.Duration(n) * time.Second
	}
	return t, nil
}
