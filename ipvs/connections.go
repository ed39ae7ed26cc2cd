package ipvs

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Connection is one entry of the kernel's table of connections.
type Connection struct {
	Protocol    string         // "TCP", "UDP"; "IP" for the persistence of firewall marks
	Client      netip.AddrPort // port 0 in the entry of a persistence
	Virtual     netip.AddrPort // for the persistence of a firewall mark the mark, as an address
	Destination netip.AddrPort
	State       string
	Expires     time.Duration

	// Persistence means that the entry is no connection, but the destination of a
	// persistent client.
	Persistence bool
}

// connectionsFile lists the connections of this process's network namespace.
const connectionsFile = "/proc/net/ip_vs_conn"

// Connections iterates over the kernel's connections. There may be millions, so
// they are read on demand. An error is the last element.
func Connections() iter.Seq2[Connection, error] {
	return func(yield func(Connection, error) bool) {
		f, err := os.Open(connectionsFile)
		if err != nil {
			yield(Connection{}, fmt.Errorf("reading the connections: %w", err))
			return
		}
		defer f.Close()
		for c, err := range readConnections(f) {
			if !yield(c, err) {
				return
			}
		}
	}
}

// readConnections reads the lines of an ip_vs_conn file; the first is a head.
func readConnections(r io.Reader) iter.Seq2[Connection, error] {
	return func(yield func(Connection, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Scan()
		for lines.Scan() {
			c, ok := parseConnection(lines.Text())
			if ok && !yield(c, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Connection{}, fmt.Errorf("reading the connections: %w", err))
		}
	}
}

// parseConnection reads one line: "TCP 0A000064 C350 0A000050 0050 0A01000B 0050
// ESTABLISHED 899", numbers in hexadecimal, IPv6 addresses as groups. Port 0 of the
// client marks a persistence: real clients have a port.
func parseConnection(line string) (Connection, bool) {
	f := strings.Fields(line)
	if len(f) < 9 {
		return Connection{}, false
	}
	client, ok1 := parseHexAddr(f[1], f[2])
	virtual, ok2 := parseHexAddr(f[3], f[4])
	destination, ok3 := parseHexAddr(f[5], f[6])
	seconds, err := strconv.ParseUint(f[8], 10, 32)
	return Connection{
		Protocol: f[0], Client: client, Virtual: virtual, Destination: destination,
		State: f[7], Expires: time.Duration(seconds) * time.Second, Persistence: client.Port() == 0,
	}, ok1 && ok2 && ok3 && err == nil
}

func parseHexAddr(addr, port string) (netip.AddrPort, bool) {
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	if quad, err := hex.DecodeString(addr); err == nil && len(quad) == 4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(quad)), uint16(n)), true
	}
	a, err := netip.ParseAddr(strings.Trim(addr, "[]"))
	return netip.AddrPortFrom(a, uint16(n)), err == nil
}
