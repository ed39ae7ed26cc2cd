package host

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// neighbourWith gives the other end of the cable to another machine with those addresses, and returns
// its hardware address.
func neighbourWith(t *testing.T, addrs ...string) string {
	t.Helper()
	link, err := netlink.LinkByName("other")
	must(t, err)
	here, err := netns.Get()
	must(t, err)
	there, err := netns.New() // and enters it
	must(t, err)
	must(t, netns.Set(here))
	t.Cleanup(func() { there.Close(); here.Close() })
	must(t, netlink.LinkSetNsFd(link, int(there)))
	far, err := netlink.NewHandleAt(there)
	must(t, err)
	t.Cleanup(far.Close)
	link, err = far.LinkByName("other")
	must(t, err)
	must(t, far.LinkSetUp(link))
	for _, text := range addrs {
		a, err := netlink.ParseAddr(text)
		must(t, err)
		if a.IP.To4() == nil {
			a.Flags = 2 // no duplicate address detection
		}
		must(t, far.AddrAdd(link, a))
	}
	awaitLinkLocal(t, far, "other") // until then it answers no one
	return link.Attrs().HardwareAddr.String()
}

// soleSteps are those of a director with those virtual addresses on eth0.
func soleSteps(vips ...string) (list []Step) {
	for _, text := range vips {
		addr := netip.MustParseAddr(text)
		a := newAddress(netip.PrefixFrom(addr, addr.BitLen()), "eth0")
		a.Sole = true
		list = append(list, a)
	}
	return list
}

// TestTakenAddress leaves out the addresses that another machine has, of both families, until they are
// free, and makes all other steps.
func TestTakenAddress(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		mac := neighbourWith(t, "10.0.0.80/24", "fd00::80/64")
		here, err := netlink.NewHandle()
		must(t, err)
		t.Cleanup(here.Close)
		awaitLinkLocal(t, here, "eth0")
		h, said := testHost(t)
		want := soleSteps("10.0.0.80", "10.0.0.81", "fd00::80", "fd00::81")
		want = append(want, &Sysctl{Name: "net/ipv4/conf/eth0/send_redirects", Value: "0"})
		err = h.Up(t.Context(), "a", want)
		taken, ok := errors.AsType[*TakenError](err)
		if !ok || len(taken.Taken) != 2 {
			t.Fatalf("up: %v, want two taken addresses", err)
		}
		for i, vip := range []string{"10.0.0.80", "fd00::80"} {
			if got := taken.Taken[i]; got.Address.String() != vip || got.Dev != "eth0" || len(got.By) != 1 || !strings.HasPrefix(got.By[0], mac) {
				t.Errorf("taken: %v, want %s by %s", got, vip, mac)
			}
		}
		expect(t, said(), `
address add 10.0.0.81/32 dev eth0 label eth0:81
address add fd00::81/128 dev eth0 preferred_lft 0
sysctl net.ipv4.conf.eth0.send_redirects 0 (was 1)
`)
		h.machine.others = func(map[string][]netip.Addr, bool) (map[netip.Addr][]string, map[netip.Addr]bool) {
			return nil, nil // free now
		}
		must(t, h.Up(t.Context(), "a", want))
		if got := said(); !strings.Contains(got, "address add 10.0.0.80/32 dev eth0") || strings.Contains(got, "10.0.0.81/32 dev eth0 label eth0:81\n") {
			t.Errorf("when they are free:\n%s", got)
		}
		h.machine.others = others // and the conflict of what is there stays: nothing is taken away
		must(t, h.Up(t.Context(), "a", want))
	})
}

// TestRealServerAnswers names the cause of an address that is left out: a real server of the
// configuration answers for it, or a machine that is not known.
func TestRealServerAnswers(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		mac := neighbourWith(t, "10.0.0.80/24", "10.0.0.9/24")
		conn, err := net.Dial("udp", "10.0.0.9:9")
		must(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte("x")) // as a check does, before a reload has another address
		must(t, err)
		hardware, err := net.ParseMAC(mac)
		must(t, err)
		eventually.True(t, "the neighbour", func() bool { return strings.HasSuffix(neighbour(hardware, netip.Addr{}), " (10.0.0.9)") })
		for real, want := range map[string]string{
			"10.0.0.9":  "virtual address 10.0.0.80 is not added to eth0: " + mac + " (10.0.0.9) has it: a real server without arp_ignore answers (ldirectord host realserver up --vip 10.0.0.80, there)",
			"10.0.0.10": "virtual address 10.0.0.80 is not added to eth0: " + mac + " (10.0.0.9) has it: another director, or a real server without arp_ignore answers (ldirectord host realserver up --vip 10.0.0.80, there)",
		} {
			h, _ := testHost(t)
			vip := netip.MustParseAddr("10.0.0.80")
			cfg := &conf.Config{Virtuals: []*conf.VirtualService{{Addr: vip, Reals: []*conf.RealServer{{Addr: netip.MustParseAddr(real)}}}}}
			_, err := h.ConfigSteps(t.Context(), cfg, "director", Choices{})
			must(t, err)
			if err := h.Up(t.Context(), "a", soleSteps("10.0.0.80")); err == nil || err.Error() != want {
				t.Errorf("with the real server %s:\n%v, want\n%s", real, err, want)
			}
		}
	})
}

// awaitLinkLocal waits until a device has its own IPv6 address.
func awaitLinkLocal(t *testing.T, link *netlink.Handle, name string) {
	t.Helper()
	dev, err := link.LinkByName(name)
	must(t, err)
	eventually.True(t, "the link-local address of "+name, func() bool {
		list, err := link.AddrList(dev, netlink.FAMILY_V6)
		return err == nil && slices.ContainsFunc(list, func(a netlink.Addr) bool {
			return a.IP.IsLinkLocalUnicast() && a.Flags&unix.IFA_F_TENTATIVE == 0
		})
	})
}

// TestOwnedAddress leaves addresses to keepalived, also one that was added before its configuration
// had it.
func TestOwnedAddress(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		owned := map[netip.Addr]string{netip.MustParseAddr("10.0.0.80"): "keepalived.conf"}
		h.machine.owners = func() map[netip.Addr]string { return owned }
		want := soleSteps("10.0.0.80", "10.0.0.81")
		must(t, h.Up(t.Context(), "a", want))
		expect(t, said(), `
address add 10.0.0.80/32 dev eth0 label eth0:80 is left out: keepalived.conf has the address
address add 10.0.0.81/32 dev eth0 label eth0:81
`)
		owned[netip.MustParseAddr("10.0.0.81")] = "keepalived.conf"
		must(t, h.Up(t.Context(), "a", want))
		must(t, h.Down(t.Context(), "a"))
		here, err := Here()
		must(t, err)
		if !here[netip.MustParseAddr("10.0.0.81")] {
			t.Errorf("the address was taken from keepalived:\n%s", said())
		}
		if got := h.Status(t.Context(), want); len(got) > 0 {
			t.Errorf("status has what is left to keepalived: %v", got)
		}
		if held, err := h.Held("a"); err != nil || len(held) != 0 {
			t.Errorf("still held: %v, %v", held, err)
		}
	})
}

// TestAddressesOfConfig has addresses only where the file and the caller say so.
func TestAddressesOfConfig(t *testing.T) {
	cfg := func(setup conf.HostSetup) *conf.Config {
		c := &conf.Config{Virtuals: []*conf.VirtualService{{Addr: netip.MustParseAddr("10.0.0.80")}, {Addr: netip.MustParseAddr("10.0.0.81")}}}
		c.HostSetup = setup
		return c
	}
	inOwnSpace(t, func(t *testing.T) {
		h, _ := testHost(t)
		second := func(addr netip.Addr) bool { return addr.String() == "10.0.0.81" }
		tests := []struct {
			name            string
			setup           conf.HostSetup
			device, command string // vipdevice, vipcommand
			has             func(netip.Addr) bool
			want            string
		}{
			{name: "all", setup: conf.HostSetupYes, want: "10.0.0.80 10.0.0.81"},
			{name: "of the command", want: "10.0.0.80 10.0.0.81"},
			{name: "those that are due", setup: conf.HostSetupYes, has: second, want: "10.0.0.81"},
			{name: "noaddress", setup: conf.HostSetupNoAddress},
			{name: "of vipdevice", device: "lvs0"},
			{name: "of vipcommand", command: "/bin/true"},
			{name: "vipcommand is told of them", setup: conf.HostSetupYes, command: "/bin/true", want: "10.0.0.80 10.0.0.81"},
		}
		for _, tt := range tests {
			c := cfg(tt.setup)
			c.VIPDevice, c.VIPCommand = tt.device, secret.Command(tt.command)
			steps, err := h.ConfigSteps(t.Context(), c, "director", Choices{Has: tt.has})
			must(t, err)
			var got []string
			for _, addr := range AddressesOf(steps) {
				got = append(got, addr.String())
			}
			if strings.Join(got, " ") != tt.want || len(steps) == len(got) {
				t.Errorf("%s: %q of %d steps, want %q and others", tt.name, got, len(steps), tt.want)
			}
		}
	})
}
