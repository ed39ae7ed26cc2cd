package host

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/neighbours"
)

// A side is a director in a namespace of its own, with eth0 on a cable to the other one.
type side struct {
	ns   netns.NsHandle
	link *netlink.Handle
	port int // a socket at this end of its cable
}

// newSide makes a director and the end of its cable, in the namespace of the test.
func newSide(t *testing.T, port string) *side {
	t.Helper()
	here, err := netns.Get()
	must(t, err)
	s := &side{}
	s.ns, err = netns.New() // and enters it
	must(t, err)
	must(t, netns.Set(here))
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: port}, PeerName: "eth0", PeerNamespace: netlink.NsFd(s.ns)}))
	end, err := netlink.LinkByName(port)
	must(t, err)
	must(t, netlink.LinkSetUp(end))
	must(t, netlink.SetPromiscOn(end))
	all := neighbours.NetworkOrder(unix.ETH_P_ALL)
	s.port, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all))
	must(t, err)
	must(t, unix.Bind(s.port, &unix.SockaddrLinklayer{Protocol: all, Ifindex: end.Attrs().Index}))
	s.link, err = netlink.NewHandleAt(s.ns)
	must(t, err)
	eth0, err := s.link.LinkByName("eth0")
	must(t, err)
	must(t, s.link.LinkSetUp(eth0))
	t.Cleanup(func() { s.link.Close(); s.ns.Close(); here.Close() })
	return s
}

// carryTo carries what a director sends to the other one, with a delay.
func (s *side) carryTo(to *side, delay time.Duration) {
	for packet := make([]byte, 2048); ; {
		n, from, err := unix.Recvfrom(s.port, packet, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue // it came from the other one
		}
		whole := slices.Clone(packet[:n])
		time.AfterFunc(delay, func() { _, _ = unix.Write(to.port, whole) })
	}
}

// do runs f in the namespace of the director.
func (s *side) do(f func() error) error {
	runtime.LockOSThread() // the thread ends with the goroutine
	if err := netns.Set(s.ns); err != nil {
		return err
	}
	return f()
}

// has are the addresses of the director.
func (s *side) has(t *testing.T) map[string]bool {
	t.Helper()
	eth0, err := s.link.LinkByName("eth0")
	must(t, err)
	list, err := s.link.AddrList(eth0, netlink.FAMILY_ALL)
	must(t, err)
	has := map[string]bool{}
	for _, a := range list {
		has[a.IP.String()] = a.Flags&unix.IFA_F_TENTATIVE == 0
	}
	return has
}

// TestOneOfTwoTakesAnAddress has two directors take addresses of both families, at the same moment or
// one shortly after the other, over a network with delay: in each round exactly one of them gets an
// address, and the other one says who has it.
func TestOneOfTwoTakesAnAddress(t *testing.T) {
	ownNetwork(t)
	sides := [2]*side{newSide(t, "port0"), newSide(t, "port1")}
	go sides[0].carryTo(sides[1], 60*time.Millisecond)
	go sides[1].carryTo(sides[0], 25*time.Millisecond)
	for _, s := range sides {
		awaitLinkLocal(t, s.link, "eth0")
	}

	batches, rounds := 4, 10
	if testing.Short() {
		batches = 1
	}
	both, none := 0, 0
	for batch := range batches {
		var running sync.WaitGroup
		var mu sync.Mutex
		for round := range rounds {
			n := 1 + batch*rounds + round
			steps := soleSteps(fmt.Sprintf("10.0.0.%d", n), fmt.Sprintf("fd00::%x", n))
			ahead := time.Duration(rand.IntN(1200)) * time.Millisecond // of the first one
			if round%2 == 0 {
				ahead = 0
			}
			for i, s := range sides {
				h := New(t.TempDir())
				running.Go(func() {
					err := s.do(func() error {
						if i == 1 {
							time.Sleep(ahead)
						}
						return h.Up(t.Context(), "a", steps)
					})
					if err == nil {
						return
					}
					if taken, ok := errors.AsType[*TakenError](err); !ok || slices.ContainsFunc(taken.Taken, func(t Taken) bool {
						_, err := net.ParseMAC(strings.Fields(t.By[0])[0])
						return len(t.By) != 1 || err != nil
					}) {
						mu.Lock()
						defer mu.Unlock()
						t.Errorf("director %d: %v, want addresses that one machine has", i, err)
					}
				})
			}
		}
		running.Wait()
		first, second := sides[0].has(t), sides[1].has(t)
		for round := range rounds {
			n := 1 + batch*rounds + round
			for _, addr := range []string{fmt.Sprintf("10.0.0.%d", n), fmt.Sprintf("fd00::%x", n)} {
				switch {
				case first[addr] && second[addr]:
					both++
					t.Errorf("both have %s", addr)
				case !first[addr] && !second[addr]:
					none++
					t.Errorf("none has %s", addr)
				}
			}
		}
	}
	t.Logf("of %d addresses both have %d, none has %d", 2*batches*rounds, both, none)
}
