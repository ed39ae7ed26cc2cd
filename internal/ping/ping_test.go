package ping_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goping "github.com/go-ping/ping" //nolint:staticcheck // deprecated, but a second opinion
	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/ping"
)

// newPinger returns a Pinger that the test closes and that leaves nothing.
func newPinger(t *testing.T) *ping.Pinger {
	t.Helper()
	leavesNothing(t)
	p := new(ping.Pinger)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// leavesNothing fails the test at its end if there are more goroutines or open
// descriptors than now.
func leavesNothing(t *testing.T) {
	t.Helper()
	goroutines, files := goleak.IgnoreCurrent(), openFiles(t)
	t.Cleanup(func() {
		goleak.VerifyNone(t, goroutines)
		if !eventually.Holds(func() bool { return openFiles(t) <= files }) {
			t.Errorf("%d open files before, %d after", files, openFiles(t))
		}
	})
}

// openFiles counts the open descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// mustNet parses a network.
func mustNet(t *testing.T, cidr string) *net.IPNet {
	t.Helper()
	_, ipNet, err := net.ParseCIDR(cidr)
	if err != nil {
		t.Fatal(err)
	}
	return ipNet
}

// errText is err's text, "" for nil.
func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// check pings once and gives up after timeout.
func check(t *testing.T, p *ping.Pinger, addr string, timeout time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	_, err := checker.Ping{Pinger: p, Addr: netip.MustParseAddr(addr)}.Check(ctx)
	return err
}

// setSysctl sets a kernel setting of this network namespace.
func setSysctl(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		t.Fatal(err)
	}
}

// addLink adds a link that nobody is at the other end of, and its addresses.
func addLink(t *testing.T, name string, addrs ...string) {
	t.Helper()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "-peer"}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	peer, err := netlink.LinkByName(link.PeerName)
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		a, err := netlink.ParseAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		a.Flags = unix.IFA_F_NODAD
		if err := netlink.AddrAdd(link, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []netlink.Link{link, peer} {
		if err := netlink.LinkSetUp(end); err != nil {
			t.Fatal(err)
		}
	}
	for _, addr := range addrs {
		awaitLocal(t, addr)
	}
}

// awaitLocal returns when an address counts as our own: for IPv6 that is a moment
// after its link is up.
func awaitLocal(t *testing.T, addr string) {
	t.Helper()
	ip := netip.MustParsePrefix(addr).Addr().AsSlice()
	eventually.True(t, addr+" as our own", func() bool {
		routes, err := netlink.RouteGet(ip)
		return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
	})
}

// awaitLinkLocal returns when a link has a route to its link-local addresses, a moment after
// its carrier.
func awaitLinkLocal(t *testing.T, link string) {
	t.Helper()
	eventually.True(t, "a link-local route of "+link, func() bool {
		routes, err := netlink.RouteGetWithOptions(net.ParseIP("fe80::1"), &netlink.RouteGetOptions{Oif: link})
		return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_UNICAST
	})
}

func TestPing(t *testing.T) {
	if !lab.Apart(t) {
		return
	}
	addLink(t, "eth0", "10.1.0.254/24", "fd00:1::fe/64")
	awaitLinkLocal(t, "eth0")
	setSysctl(t, "net.ipv4.neigh.eth0.retrans_time_ms", "50")
	p := newPinger(t)
	unreachable := &netlink.Route{Dst: mustNet(t, "10.2.0.0/24"), Type: unix.RTN_UNREACHABLE}
	if err := netlink.RouteAdd(unreachable); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, addr string
		want       string // contained in the error, "" is up
		local      bool
	}{
		{"answers", "127.0.0.1", "", false},
		{"another answers", "127.1.2.3", "", false},
		{"our own address", "10.1.0.254", "", false},
		{"IPv6", "::1", "", false},
		{"IPv4 in IPv6", "::ffff:127.0.0.1", "", false},
		{"our own IPv6 address", "fd00:1::fe", "", false},
		{"with a zone", "fe80::1%eth0", "no answer in 1s", false},
		{"nobody there", "10.1.0.1", "unreachable, says 10.1.0.254", false},
		{"no way there", "10.2.0.1", "no route to host", false},
		{"no route from here", "192.0.2.1", "not checked: network is unreachable", true},
		{"no IPv6 route from here", "2001:db8::1", "not checked: network is unreachable", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := check(t, p, tt.addr, time.Second)
			if tt.want == "" && err != nil || !strings.Contains(errText(err), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if checker.IsLocal(err) != tt.local {
				t.Errorf("IsLocal(%v) = %v", err, !tt.local)
			}
		})
	}
}

// TestPingSilent pings hosts that are there and do not answer.
func TestPingSilent(t *testing.T) {
	if !lab.Apart(t) {
		return
	}
	setSysctl(t, "net.ipv4.icmp_echo_ignore_all", "1")
	setSysctl(t, "net.ipv6.icmp.echo_ignore_all", "1")
	p := newPinger(t)
	for _, addr := range []string{"127.0.0.1", "::1"} {
		begin := time.Now()
		err := check(t, p, addr, 150*time.Millisecond)
		if took := time.Since(begin); took < 150*time.Millisecond {
			t.Errorf("%s: took %v", addr, took)
		}
		eventually.InTime(t, addr, begin, 150*time.Millisecond)
		if got, want := errText(err), "no answer in 150ms"; got != want || checker.IsLocal(err) {
			t.Errorf("%s: error %q (local: %v), want %q", addr, got, checker.IsLocal(err), want)
		}
		if theirs := goPing(t, addr, 150*time.Millisecond); theirs {
			t.Errorf("%s: the other implementation has an answer", addr)
		}
	}
	setSysctl(t, "net.ipv4.icmp_echo_ignore_all", "0")
	if err := check(t, p, "127.0.0.1", time.Second); err != nil {
		t.Errorf("after it began to answer: %v", err)
	}
}

// TestPingMany pings a great many hosts at once, one in four of which is dead,
// and none of the others may seem so.
func TestPingMany(t *testing.T) {
	if !lab.Apart(t) {
		return
	}
	addLink(t, "eth0", "10.1.0.254/16")
	p := newPinger(t)
	var live, dead atomic.Int32
	var wg sync.WaitGroup
	for i := range 2000 {
		addr := netip.AddrFrom4([4]byte{127, 9, byte(i >> 8), byte(i)})
		if i%4 == 0 {
			addr = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		}
		wg.Go(func() {
			switch err := check(t, p, addr.String(), time.Second); {
			case err == nil && addr.IsLoopback():
				live.Add(1)
			case err != nil && !addr.IsLoopback() && !checker.IsLocal(err):
				dead.Add(1)
			default:
				t.Errorf("%v: %v", addr, err)
			}
		})
	}
	wg.Wait()
	if live.Load() != 1500 || dead.Load() != 500 {
		t.Errorf("%d answered, %d did not, want 1500 and 500", live.Load(), dead.Load())
	}
}

// TestPingAgrees compares with another implementation of ping.
func TestPingAgrees(t *testing.T) {
	if !lab.Apart(t) {
		return
	}
	addLink(t, "eth0", "10.1.0.254/24")
	p := newPinger(t)
	for _, addr := range []string{"127.0.0.1", "10.1.0.254", "10.1.0.7", "::1"} {
		ours, theirs := check(t, p, addr, 300*time.Millisecond), goPing(t, addr, 300*time.Millisecond)
		if (ours == nil) != theirs {
			t.Errorf("%s: ours says %v, theirs %v", addr, ours, theirs)
		}
	}
}

// goPing pings with github.com/go-ping/ping.
func goPing(t *testing.T, addr string, timeout time.Duration) bool {
	t.Helper()
	p, err := goping.NewPinger(addr)
	if err != nil {
		t.Fatal(err)
	}
	p.SetPrivileged(true)
	p.Count, p.Timeout = 1, timeout
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	return p.Statistics().PacketsRecv == 1
}

// TestPingUnprivileged pings without the right to open raw sockets.
func TestPingUnprivileged(t *testing.T) {
	if !lab.Apart(t) {
		return
	}
	for _, groups := range []struct{ sysctl, want string }{
		{"1\t0", "not checked: no right to send IPv4 pings: run as root, with CAP_NET_RAW, or in a group of net.ipv4.ping_group_range"},
		{"0\t2147483647", ""},
	} {
		setSysctl(t, "net.ipv4.ping_group_range", groups.sysctl)
		err := withoutRights(t, func() error {
			p := newPinger(t)
			if err := check(t, p, "127.0.0.1", time.Second); err != nil {
				return err
			}
			return check(t, p, "::1", time.Second)
		})
		if errText(err) != groups.want || checker.IsLocal(err) != (err != nil) {
			t.Errorf("ping_group_range %q: error %v, want %q", groups.sysctl, err, groups.want)
		}
	}
}

// withoutRights runs f on a thread without capabilities, which ends with it.
func withoutRights(t *testing.T, f func() error) error {
	t.Helper()
	result := make(chan error)
	go func() {
		defer close(result)
		runtime.LockOSThread()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			result <- err
			return
		}
		result <- f()
	}()
	return <-result
}

func TestPingClosed(t *testing.T) {
	p := newPinger(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := check(t, p, "127.0.0.1", time.Second); !checker.IsLocal(err) || !errors.Is(err, ping.ErrClosed) {
		t.Errorf("error %v, want %v", err, ping.ErrClosed)
	}
}
