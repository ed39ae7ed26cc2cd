package ipvs

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Beside is the kernel's state of IPVS beside the table: the daemons that carry
// connections from one director to another, and the timeouts of connections. A Kernel
// and a Memory have it. Several goroutines may use it.
type Beside interface {
	// SyncDaemons returns the running daemons, the master first.
	SyncDaemons() ([]SyncDaemon, error)
	// StartSync starts a daemon. Its error wraps fs.ErrExist if one of that role runs.
	StartSync(SyncDaemon) error
	// StopSync stops the daemon of a role. Its error wraps fs.ErrNotExist if none runs.
	StopSync(SyncRole) error
	// Timeouts returns the timeouts in force.
	Timeouts() (Timeouts, error)
	// SetTimeouts sets those that are not 0.
	SetTimeouts(Timeouts) error
}

var _, _ Beside = (*Kernel)(nil), (*Memory)(nil)

// A SyncRole is what a daemon does with connections. A kernel runs at most one daemon of
// each role in a network namespace.
type SyncRole uint8

// The roles, with the kernel's numbers (IP_VS_STATE_*).
const (
	SyncMaster SyncRole = 1 // sends those of this director
	SyncBackup SyncRole = 2 // receives those of others
)

// SyncRoles are all roles, in the order in which the kernel lists them.
var SyncRoles = []SyncRole{SyncMaster, SyncBackup}

// String is the word of ipvsadm.
func (r SyncRole) String() string {
	if r == SyncBackup {
		return "backup"
	}
	return "master"
}

// A SyncDaemon is one of the kernel's threads that carry connections between directors.
type SyncDaemon struct {
	Role   SyncRole
	Device string
	ID     uint8      // a backup with 0 takes messages with any ID
	Group  netip.Addr // multicast; invalid is SyncGroup
	Port   uint16     // 0 is SyncPort
	MaxLen uint16     // bytes of a message without IP and UDP headers; 0 is as the device allows
}

// SyncGroup is the kernel's default group.
var SyncGroup = netip.AddrFrom4([4]byte{224, 0, 0, 81})

// SyncPort is the UDP port of the default group.
const SyncPort = 8848

// The bounds of MaxLen: a backup of the kernel clamps smaller ones.
const (
	minSyncLen = 1024
	maxSyncLen = 65535 - ipv6Headers

	ipv4Headers = 20 + 8
	ipv6Headers = 40 + 8
)

// SyncLen is the MaxLen for packets of at most mtu bytes to group.
func SyncLen(mtu uint16, group netip.Addr) uint16 {
	if group.Is6() {
		return mtu - ipv6Headers
	}
	return mtu - ipv4Headers
}

// MinSyncMTU is the smallest mtu whose SyncLen the kernel takes as it is.
const MinSyncMTU = minSyncLen + ipv6Headers

// Effective is d with the kernel's defaults.
func (d SyncDaemon) Effective() SyncDaemon {
	if !d.Group.IsValid() {
		d.Group = SyncGroup
	}
	if d.Port == 0 {
		d.Port = SyncPort
	}
	return d
}

// Fits reports whether the running daemon is as d describes it. A MaxLen of 0 in d leaves
// the length to the kernel.
func (d SyncDaemon) Fits(running SyncDaemon) bool {
	if d.MaxLen == 0 {
		running.MaxLen = 0
	}
	return d.Effective() == running.Effective()
}

// String is the command in the words of ipvsadm that starts d.
func (d SyncDaemon) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--start-daemon %s --mcast-interface %s --syncid %d", d.Role, d.Device, d.ID)
	if d.MaxLen != 0 {
		fmt.Fprintf(&b, " --sync-maxlen %d", d.MaxLen)
	}
	if d = d.Effective(); d.Group != SyncGroup {
		fmt.Fprintf(&b, " --mcast-group %s", d.Group)
	}
	if d.Port != SyncPort {
		fmt.Fprintf(&b, " --mcast-port %d", d.Port)
	}
	return b.String()
}

// StopSyncWords is the command in the words of ipvsadm that stops the daemon of a role.
func StopSyncWords(r SyncRole) string { return "--stop-daemon " + r.String() }

// maxDevice is the longest name of a device.
const maxDevice = 15

// check refuses what a Memory would take and a kernel would not, or would change.
func (d SyncDaemon) check() error {
	switch {
	case d.Role != SyncMaster && d.Role != SyncBackup:
		return errors.New("a sync daemon is master or backup")
	case d.Device == "" || len(d.Device) > maxDevice:
		return fmt.Errorf("a device has a name of 1 to %d characters", maxDevice)
	case d.Group.IsValid() && !d.Group.IsMulticast():
		return fmt.Errorf("%s is no multicast address", d.Group)
	case d.MaxLen != 0 && (d.MaxLen < minSyncLen || d.MaxLen > maxSyncLen):
		return fmt.Errorf("the length of a message is not in %d to %d", minSyncLen, maxSyncLen)
	}
	return nil
}

// Timeouts are how long the kernel remembers connections without packets. They are whole
// seconds.
type Timeouts struct {
	TCP    time.Duration // established
	TCPFin time.Duration // after a FIN
	UDP    time.Duration
}

// The kernel's timeouts of a new network namespace.
var initialTimeouts = Timeouts{TCP: 900 * time.Second, TCPFin: 120 * time.Second, UDP: 300 * time.Second}

// Or is t with the values of o where t has 0.
func (t Timeouts) Or(o Timeouts) Timeouts {
	for _, pair := range []struct{ to, from *time.Duration }{{&t.TCP, &o.TCP}, {&t.TCPFin, &o.TCPFin}, {&t.UDP, &o.UDP}} {
		if *pair.to == 0 {
			*pair.to = *pair.from
		}
	}
	return t
}

// String is the command in the words of ipvsadm that sets t.
func (t Timeouts) String() string {
	return fmt.Sprintf("--set %d %d %d", int(t.TCP.Seconds()), int(t.TCPFin.Seconds()), int(t.UDP.Seconds()))
}

func (t Timeouts) check() error {
	for _, d := range []time.Duration{t.TCP, t.TCPFin, t.UDP} {
		if d < 0 || d > MaxTimeout*time.Second || d%time.Second != 0 {
			return fmt.Errorf("a timeout is whole seconds, up to %d", MaxTimeout)
		}
	}
	return nil
}

// refuseBeside words an error of Beside: the command in ipvsadm's words, then the reason.
func refuseBeside(command, device string, err error) error {
	if err == nil {
		return nil
	}
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		err = explainBeside(no, device)
	}
	var is error
	for _, e := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, errors.ErrUnsupported, fs.ErrClosed} {
		if errors.Is(err, e) {
			is = e
		}
	}
	return refusal{command + ": " + err.Error(), is}
}

// explainBeside turns the kernel's answer into a sentence. The numbers are those of
// start_sync_thread and stop_sync_thread in net/netfilter/ipvs/ip_vs_sync.c.
func explainBeside(no syscall.Errno, device string) error {
	switch no {
	case syscall.EEXIST:
		return refusal{"a sync daemon of that role runs already", fs.ErrExist}
	case syscall.ESRCH:
		return refusal{"no sync daemon of that role runs", fs.ErrNotExist}
	case syscall.ENODEV:
		return refusal{"there is no device " + device, nil}
	case syscall.ENETUNREACH, syscall.EADDRNOTAVAIL:
		return refusal{"the device " + device + " is down or has no address: ip link set " + device + " up", nil}
	case syscall.EINVAL:
		return refusal{"the kernel takes it for invalid: is there a real server of another family than its virtual service? Those connections cannot be carried", nil}
	case syscall.EPERM:
		return errNoRights
	}
	return refusal{"the kernel says: " + no.Error(), nil}
}
