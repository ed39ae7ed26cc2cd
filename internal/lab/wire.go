package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Wire is a network with delay. It joins this process's network namespace with
// another, the far end: two tun devices, and goroutines that carry each packet from
// one to the other and delay it on the way. It needs no netem, which many kernels
// lack, and no more than the machine's own kernel.
//
// On loopback a connection is complete before the client can wait for it. Only on a
// wire do a connection, the peer's first bytes and its end arrive together.
type Wire struct {
	far   *space
	ends  [2]*os.File
	delay time.Duration
	wg    sync.WaitGroup
}

// The addresses of a Wire's ends, each of which has the whole net.
var (
	wireNear = netip.MustParsePrefix("10.201.0.1/16")
	wireFar  = netip.MustParsePrefix("10.202.0.1/16")
)

// wireQueue is how many packets wait at each end of a Wire, and on it. None is
// lost to a burst of checks.
const wireQueue = 20_000

// apartMark marks a test binary that Apart has started.
const apartMark = "LDIRECTORD_TEST_APART"

// Apart is the first call in a test that needs a Wire. It returns true in a network
// namespace of its own, with lo up. Outside it runs this test there, by running the
// test binary again, reports its outcome and output through t, and returns false:
// the test is complete and must return. For users other than root the test is
// skipped with one line that gives the reason.
func Apart(t testing.TB) bool {
	t.Helper()
	if os.Getenv(apartMark) != "" {
		link, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(link)
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	Root(t, "a network namespace")
	out := &transcript{to: t.Output(), name: t.Name()}
	flags := append(testFlags(t.Name(), 0), "-test.count=1")
	if _, ok := t.(*testing.B); ok {
		out.to, flags = os.Stdout, benchmarkFlags(t.Name())
	}
	cmd := exec.CommandContext(context.Background(), os.Args[0], flags...)
	cmd.Env = append(os.Environ(), apartMark+"=1")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // with whose end it would be killed
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	switch {
	case err != nil:
		t.Errorf("in the namespace: %v", err)
	case !out.ran:
		t.Errorf("in the namespace: %s was not run; -test.run is %q", t.Name(), flag.Lookup("test.run").Value)
	case out.skipped:
		t.Skip("skipped in the namespace")
	}
	return false
}

// NewWire makes a wire that holds each packet back for delay, each way, until
// the test ends. It must be called in a namespace of the test's own, see Apart.
func NewWire(t testing.TB, delay time.Duration) *Wire {
	t.Helper()
	w, err := OpenWire(delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

// OpenWire is NewWire for a process that has the wire until it ends.
func OpenWire(delay time.Duration) (*Wire, error) {
	w := &Wire{delay: delay}
	if err := w.open(); err != nil {
		return nil, fmt.Errorf("making a wire: %w", err)
	}
	return w, nil
}

// WireAddr returns the i-th address of a Wire's far end, of 60,000.
func WireAddr(i int) netip.Addr {
	b := wireFar.Addr().As4()
	return netip.AddrFrom4([4]byte{b[0], b[1], byte(i / 250), byte(1 + i%250)})
}

// Do runs f on a thread at the far end. Sockets opened there stay there, and so
// do processes started there.
func (w *Wire) Do(f func() error) error { return w.far.do(f) }

// Listen listens at the far end's first address, on a free port.
func (w *Wire) Listen() (l net.Listener, err error) {
	err = w.Do(func() error {
		l, err = net.Listen("tcp", netip.AddrPortFrom(WireAddr(0), 0).String())
		return err
	})
	return l, err
}

// ListenUDP is Listen for datagrams.
func (w *Wire) ListenUDP() (conn *net.UDPConn, err error) {
	err = w.Do(func() error {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(WireAddr(0), 0)))
		return err
	})
	return conn, err
}

func (w *Wire) open() error {
	if err := w.openFar(); err != nil {
		return err
	}
	near, err := openTun()
	if err != nil {
		return err
	}
	w.ends[0] = near
	link, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer link.Close()
	if err := plugIn(link, wireNear, wireFar); err != nil {
		return err
	}
	for i := range w.ends {
		w.wg.Go(func() { w.carry(w.ends[i], w.ends[1-i]) })
	}
	return nil
}

// openFar makes the far end: a namespace with no name, and its device.
func (w *Wire) openFar() error {
	w.far = &space{name: "far end"}
	err := onOwnThread(func() (err error) {
		if w.far.ns, err = netns.New(); err != nil {
			return err
		}
		if w.far.link, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
			return err
		}
		w.ends[1], err = openTun()
		return err
	})
	if err != nil {
		return err
	}
	if err := w.far.up("lo"); err != nil {
		return err
	}
	return plugIn(w.far.link, wireFar, wireNear)
}

const wireDevice = "wire0"

// openTun makes a device whose packets are read from and written to the file.
func openTun() (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(wireDevice)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", wireDevice, err)
	}
	return os.NewFile(uintptr(fd), wireDevice), nil // on Go's poller from now on
}

// plugIn sets up a device: all of own is here, all of other behind it.
func plugIn(link *netlink.Handle, own, other netip.Prefix) error {
	device, err := link.LinkByName(wireDevice)
	if err != nil {
		return err
	}
	prefix := func(p netip.Prefix) *net.IPNet {
		return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
	}
	lo, err := link.LinkByName("lo")
	if err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: own.Addr().AsSlice(), Mask: net.CIDRMask(32, 32)}}
	return errors.Join(
		link.LinkSetTxQLen(device, wireQueue),
		link.LinkSetUp(device),
		link.AddrReplace(device, address),
		link.RouteReplace(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: prefix(own), Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST}),
		link.RouteReplace(&netlink.Route{LinkIndex: device.Attrs().Index, Dst: prefix(other), Src: address.IP, Scope: netlink.SCOPE_LINK}))
}

// A packet is on its way until due.
type packet struct {
	bytes []byte
	due   time.Time
}

// carry carries packets from one end to the other until from is closed.
func (w *Wire) carry(from, to *os.File) {
	way := make(chan packet, wireQueue)
	w.wg.Go(func() {
		for p := range way {
			if wait := time.Until(p.due); wait > 0 {
				time.Sleep(wait)
			}
			_, _ = to.Write(p.bytes) // a packet that the far end does not take is lost
		}
	})
	defer close(way)
	for buffer := make([]byte, 64<<10); ; {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		way <- packet{append([]byte(nil), buffer[:n]...), time.Now().Add(w.delay)}
	}
}

func (w *Wire) close() {
	for _, end := range w.ends {
		if end != nil {
			end.Close()
		}
	}
	w.wg.Wait()
	w.far.link.Close()
	w.far.ns.Close()
}
