// Package origin chooses where the packets of checks come from: a local address, a
// network device, a packet mark (checksource, checkdevice, checkmark).
package origin

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// An Origin is the local end of a check's packets. Its zero fields are the kernel's
// choice, and so is all of a nil Origin.
type Origin struct {
	Addr   netip.Addr // of sockets of its family; others get the kernel's choice
	Device string     // whose routes count (SO_BINDTODEVICE in socket(7))
	Mark   uint32     // for routing rules and packet filters (SO_MARK)
}

// Of is the origin with these values, nil if all are zero.
func Of(addr netip.Addr, device string, mark uint32) *Origin {
	if !addr.IsValid() && device == "" && mark == 0 {
		return nil
	}
	return &Origin{addr, device, mark}
}

// Set applies o to the socket fd of an address family before it connects or sends. Its
// errors are faults of this host: a missing right, device or address.
func (o *Origin) Set(fd, family int) error {
	if o == nil {
		return nil
	}
	if o.Mark != 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(o.Mark)); err != nil {
			return fmt.Errorf("with the mark %d: %w", o.Mark, err)
		}
	}
	if o.Device != "" {
		if err := unix.BindToDevice(fd, o.Device); err != nil {
			return fmt.Errorf("by the device %s: %w", o.Device, err)
		}
	}
	if !o.Addr.IsValid() || o.Addr.Is4() != (family == unix.AF_INET) {
		return nil
	}
	// The port is chosen when connecting, so that there are as many for each real
	// server and not for all together. A kernel without it still works.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if err := unix.Bind(fd, sockaddr(o.Addr)); err != nil {
		return fmt.Errorf("from %v: %w", o.Addr, err)
	}
	return nil
}

func sockaddr(addr netip.Addr) unix.Sockaddr {
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4()}
	}
	return &unix.SockaddrInet6{Addr: addr.As16()}
}

// Control is Set for a net.Dialer.
func (o *Origin) Control(network, _ string, c syscall.RawConn) error {
	if o == nil {
		return nil
	}
	family := unix.AF_INET
	if network[len(network)-1] == '6' {
		family = unix.AF_INET6
	}
	var err error
	if failed := c.Control(func(fd uintptr) { err = o.Set(int(fd), family) }); failed != nil {
		return failed
	}
	return err
}

type key struct{}

// With gives ctx an origin for the sockets that a check opens. A nil o leaves ctx.
func With(ctx context.Context, o *Origin) context.Context {
	if o == nil {
		return ctx
	}
	return context.WithValue(ctx, key{}, o)
}

// From is the origin that ctx has, nil for none.
func From(ctx context.Context) *Origin {
	o, _ := ctx.Value(key{}).(*Origin)
	return o
}
