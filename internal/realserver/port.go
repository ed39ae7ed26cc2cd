package realserver

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// A port is the address of a Daemon's service.
type port struct {
	name    string // "http", "https"
	network string // "tcp" or "udp"
	addr    netip.AddrPort
}

// Addr returns the address of a port by its name, one of those in the comment of
// the function that started the Daemon.
func (d *Daemon) Addr(name string) netip.AddrPort {
	d.t.Helper()
	for _, p := range d.ports {
		if p.name == name {
			return p.addr
		}
	}
	d.t.Fatalf("%s has no port for %q", d.name, name)
	return netip.AddrPort{}
}

// listen reserves a free port for name.
func (d *Daemon) listen(name, network string) netip.AddrPort {
	d.t.Helper()
	return d.listenOn(loopback(), name, network)
}

// listenOn is listen on a certain address.
func (d *Daemon) listenOn(ip netip.Addr, name, network string) netip.AddrPort {
	d.t.Helper()
	for {
		addr, err := freePort(ip)
		if err != nil {
			d.t.Fatal(err)
		}
		if d.reserved(addr) {
			continue
		}
		d.ports = append(d.ports, port{name, network, addr})
		return addr
	}
}

// listenBoth reserves a tcp port free on IPv4 and on ::1, for programs that
// listen on the same port everywhere. The second has the name with a "6".
func (d *Daemon) listenBoth(name string) (v4, v6 netip.AddrPort) {
	d.t.Helper()
	for {
		v4 = d.listenOn(loopback(), name, "tcp")
		v6 = netip.AddrPortFrom(netip.IPv6Loopback(), v4.Port())
		if isFree(v6) && !d.reserved(v6) {
			d.ports = append(d.ports, port{name + "6", "tcp", v6})
			return v4, v6
		}
		d.ports = d.ports[:len(d.ports)-1]
	}
}

// reserved reports whether one of the Daemon's ports is addr.
func (d *Daemon) reserved(addr netip.AddrPort) bool {
	return slices.ContainsFunc(d.ports, func(p port) bool { return p.addr == addr })
}

// taken reports whether the port has a listener.
func (p port) taken() bool {
	if p.network == "udp" {
		return bound(p.addr)
	}
	conn, err := net.DialTimeout("tcp", p.addr.String(), time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// bound reports whether a socket for udp has the address. It reads the kernel's
// table and does not bind the address itself: a program that starts meanwhile would
// fail.
func bound(addr netip.AddrPort) bool {
	name := "/proc/net/udp"
	if addr.Addr().Is6() {
		name = "/proc/net/udp6"
	}
	sockets, err := os.ReadFile(name)
	return err == nil && strings.Contains(string(sockets), ": "+socketAddr(addr)+" ")
}

// socketAddr writes an address as /proc/net/udp does: each word of it as a
// hexadecimal number in the machine's byte order, then the port.
func socketAddr(addr netip.AddrPort) string {
	var b strings.Builder
	for word := range slices.Chunk(addr.Addr().AsSlice(), 4) {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(word))
	}
	fmt.Fprintf(&b, ":%04X", addr.Port())
	return b.String()
}

// loopback is an IPv4 loopback address that other test binaries hardly use, so
// that free ports do not have to be fought for.
func loopback() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(64 + pid/254/256%64), byte(pid / 254), byte(1 + pid%254)})
}

// freePort is a port free for tcp and udp.
func freePort(ip netip.Addr) (netip.AddrPort, error) {
	for {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			return netip.AddrPort{}, err
		}
		addr := netip.AddrPortFrom(ip, l.Addr().(*net.TCPAddr).AddrPort().Port())
		l.Close()
		if isFree(addr) {
			return addr, nil
		}
	}
}

// isFree reports whether the address is free for tcp and udp.
func isFree(addr netip.AddrPort) bool {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return false
	}
	defer l.Close()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return false
	}
	udp.Close()
	return true
}
