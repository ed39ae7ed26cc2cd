package checkspec

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/ping"
)

// A doorman notes who comes to a TCP and a UDP port of one number, and closes.
type doorman struct {
	at   netip.AddrPort
	mu   sync.Mutex
	seen []string
}

func newDoorman(t *testing.T) *doorman {
	t.Helper()
	for range 20 { // until both have the port
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			tcp.Close()
			continue
		}
		t.Cleanup(func() { tcp.Close(); udp.Close() })
		d := &doorman{at: netip.MustParseAddrPort(tcp.Addr().String())}
		go func() {
			for {
				conn, err := tcp.Accept()
				if err != nil {
					return
				}
				d.note(conn.RemoteAddr())
				conn.Close()
			}
		}()
		go func() {
			for {
				_, from, err := udp.ReadFrom(make([]byte, 2000))
				if err != nil {
					return
				}
				d.note(from)
				udp.WriteTo([]byte("?"), from)
			}
		}()
		return d
	}
	t.Fatal("no port is free for TCP and UDP")
	return nil
}

func (d *doorman) note(from net.Addr) {
	host, _, _ := net.SplitHostPort(from.String())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, host)
}

func (d *doorman) visitors() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.seen, " ")
}

// askedFrom runs the check of a block's real server, at a port of 127.0.0.1.
func askedFrom(t *testing.T, at netip.AddrPort, lines string) engine.Result {
	t.Helper()
	p := new(ping.Pinger)
	defer p.Close()
	text := fmt.Sprintf("virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checkaddress=%s\n    checkport=%d\n    halfopen=no\n", at.Addr(), at.Port())
	v := configured(t, text+lines).Virtuals[0]
	key, _ := firstKey(v)
	ask, _ := Maker{Pinger: p}.Checkers(New(key.Spec), key.At, nil)
	e := engine.New(engine.Options{})
	defer e.Close()
	return e.Ask(t.Context(), ask, time.Second, 1)
}

// mayPing reports whether this user may open a socket for IPv4 pings, of either kind.
func mayPing() bool {
	for _, kind := range []int{unix.SOCK_RAW, unix.SOCK_DGRAM} {
		if fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP); err == nil {
			unix.Close(fd)
			return true
		}
	}
	return false
}

// TestOrigin has every kind of check come from checksource, and fail for a reason of
// this host where checkdevice is missing: those of libraries and pings too.
func TestOrigin(t *testing.T) {
	kinds := map[string]string{"connect": "    checktype=connect\n", "agent": "    checktype=agent\n", "ping": "    checktype=ping\n"}
	for _, service := range conf.Services() {
		if service == "none" || service == "oracle" && !checker.HasOracle {
			continue
		}
		kinds[service] = "    service=" + service + "\n    login=\"x\"\n    passwd=\"x\"\n    secret=\"x\"\n    request=\"x\"\n    receive=\"x\"\n    database=\"x\"\n"
	}
	for name, lines := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoorman(t)
			noDevice := "by the device nosuch: no such device"
			if name == "ping" && !mayPing() {
				noDevice = "no right to send IPv4 pings" // comes before the device
			}
			r := askedFrom(t, d.at, lines+"    checksource=127.0.0.9\n")
			if name != "ping" && r.Local { // as without a constructor: no connection comes
				t.Fatalf("by a local address: %v", r.Err)
			}
			if name != "ping" && (!eventually.Holds(func() bool { return d.visitors() != "" }) || strings.Trim(strings.ReplaceAll(d.visitors(), "127.0.0.9", ""), " ") != "") {
				t.Errorf("it came from %q, want 127.0.0.9 (%v)", d.visitors(), r.Err)
			}
			// A doorman of its own: late arrivals of the first check are no matter.
			d = newDoorman(t)
			r = askedFrom(t, d.at, lines+"    checkdevice=nosuch\n")
			if r.Err == nil || !r.Local || !strings.Contains(r.Err.Error(), noDevice) {
				t.Errorf("by a device that there is not: %v, a fault of this host: %t", r.Err, r.Local)
			}
			if d.visitors() != "" {
				t.Errorf("by a device that there is not it came all the same: %q", d.visitors())
			}
		})
	}
}
