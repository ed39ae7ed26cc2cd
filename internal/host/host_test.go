package host

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// inOwnSpace runs f in a network namespace of its own, with lo up and a device
// eth0 that has 10.0.0.1/24.
func inOwnSpace(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	ownNetwork(t)
	if err := addDevices(); err != nil {
		t.Fatal(err)
	}
	f(t)
}

// ownNetwork gives the test a network namespace of its own, which takes root.
func ownNetwork(t *testing.T) {
	t.Helper()
	lab.Root(t, "a network namespace")
	lab.OwnNetwork(t)
}

func addDevices() error {
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "other"}); err != nil {
		return err
	}
	for _, name := range []string{"other", "eth0"} {
		dev, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(dev); err != nil {
			return err
		}
	}
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	addr, err := netlink.ParseAddr("10.0.0.1/24")
	if err != nil {
		return err
	}
	return netlink.AddrAdd(eth0, addr)
}

// testHost is a host whose Say is returned line by line.
func testHost(t *testing.T) (*Host, func() string) {
	t.Helper()
	var b strings.Builder
	h := New(t.TempDir())
	h.Say = func(line string, _ bool) { b.WriteString(line + "\n") }
	return h, func() string {
		said := b.String()
		b.Reset()
		return said
	}
}

func steps(t *testing.T, vip string) []Step {
	t.Helper()
	s, err := RealServer{VIP: netip.MustParseAddr(vip)}.Steps()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// statusText is one line for each step.
func statusText(h *Host, steps []Step) string {
	var b strings.Builder
	for _, c := range h.Status(context.Background(), steps) {
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}

func TestUpAndDown(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		want := steps(t, "10.0.0.80")
		must(t, h.Up(t.Context(), "a", want))
		expect(t, said(), `
sysctl net.ipv4.conf.all.arp_ignore 1 (was 0)
sysctl net.ipv4.conf.all.arp_announce 2 (was 0)
sysctl net.ipv4.conf.lo.arp_ignore 1 (was 0)
sysctl net.ipv4.conf.lo.arp_announce 2 (was 0)
address add 10.0.0.80/32 dev lo label lo:80
route add 10.0.0.80/32 dev lo
`)
		if got := statusText(h, want); strings.Count(got, "ok  ") != len(want) {
			t.Errorf("status after up:\n%s", got)
		}
		must(t, h.Up(t.Context(), "a", want))
		if got := said(); strings.Count(got, "(is so already)") != len(want) {
			t.Errorf("a second up did something:\n%s", got)
		}
		must(t, h.Down(t.Context(), "a"))
		expect(t, said(), `
taken back: route add 10.0.0.80/32 dev lo
taken back: address add 10.0.0.80/32 dev lo label lo:80
taken back: sysctl net.ipv4.conf.lo.arp_announce 2 (again 0)
taken back: sysctl net.ipv4.conf.lo.arp_ignore 1 (again 0)
taken back: sysctl net.ipv4.conf.all.arp_announce 2 (again 0)
taken back: sysctl net.ipv4.conf.all.arp_ignore 1 (again 0)
`)
		expect(t, statusText(h, want), `
differs  sysctl net.ipv4.conf.all.arp_ignore 1 (is 0)
differs  sysctl net.ipv4.conf.all.arp_announce 2 (is 0)
differs  sysctl net.ipv4.conf.lo.arp_ignore 1 (is 0)
differs  sysctl net.ipv4.conf.lo.arp_announce 2 (is 0)
missing  address add 10.0.0.80/32 dev lo label lo:80
missing  route add 10.0.0.80/32 dev lo
`)
		expect(t, statusText(h, []Step{&Sysctl{Name: "net/ipv4/no_such", Value: "1"}}), `
unknown  sysctl net.ipv4.no_such 1: this kernel has no such parameter, or its module is not loaded
`)
		must(t, h.Down(t.Context(), "a"))
		expect(t, said(), "\n")
		if exists(h.file) {
			t.Error("the state file is still there")
		}
	})
}

// TestOwners sees that what two need goes with the second one.
func TestOwners(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		must(t, h.Up(t.Context(), "a", steps(t, "10.0.0.80")))
		must(t, h.Up(t.Context(), "b", steps(t, "10.0.0.81")))
		if owners, err := h.Owners(); err != nil || !cmp.Equal(owners, []string{"a", "b"}) {
			t.Errorf("owners %v, %v", owners, err)
		}
		said()
		must(t, h.Down(t.Context(), "a"))
		expect(t, said(), `
taken back: route add 10.0.0.80/32 dev lo
taken back: address add 10.0.0.80/32 dev lo label lo:80
`)
		must(t, h.Down(t.Context(), "b"))
		if got := said(); !strings.Contains(got, "net.ipv4.conf.all.arp_ignore 1 (again 0)") {
			t.Errorf("the last owner left behind what it shared:\n%s", got)
		}
	})
}

// TestChangedSteps checks that the next up removes settings no longer needed.
func TestChangedSteps(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		must(t, h.Up(t.Context(), "a", steps(t, "10.0.0.80")))
		said()
		must(t, h.Up(t.Context(), "a", steps(t, "10.0.0.81")))
		if got := said(); !strings.HasSuffix(got, "\naddress add 10.0.0.81/32 dev lo label lo:81\nroute add 10.0.0.81/32 dev lo\n"+
			"taken back: route add 10.0.0.80/32 dev lo\ntaken back: address add 10.0.0.80/32 dev lo label lo:80\n") {
			t.Errorf("said:\n%s", got)
		}
	})
}

// TestOthersWork sees that what others set up, changed or removed stays so.
func TestOthersWork(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		announce := &Sysctl{"net/ipv4/conf/all/arp_announce", "2"}
		must(t, announce.do(h.machine)) // by an administrator, before
		must(t, h.Up(t.Context(), "a", steps(t, "10.0.0.80")))
		must(t, (&Sysctl{"net/ipv4/conf/all/arp_ignore", "2"}).do(h.machine)) // and after
		must(t, newAddress(netip.MustParsePrefix("10.0.0.80/32"), "lo").undo(h.machine, ""))
		said()
		must(t, h.Down(t.Context(), "a"))
		for name, want := range map[string]string{"arp_announce": "2", "arp_ignore": "2"} {
			found, err := (&Sysctl{"net/ipv4/conf/all/" + name, want}).look(h.machine)
			if err != nil || !found.done {
				t.Errorf("%s is %s, %v; want the administrator's %s", name, found.was, err, want)
			}
		}
		if strings.Contains(said(), "all.arp_announce") {
			t.Error("took back what it had not done")
		}
	})
}

// TestInterrupted sees that nothing is forgotten when the process ends in the
// middle.
func TestInterrupted(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		broken := append(steps(t, "10.0.0.80"), &Device{"none"})
		if err := h.Up(t.Context(), "a", broken); err == nil || !strings.Contains(err.Error(), "no device none") {
			t.Errorf("up: %v", err)
		}
		again := New(filepath.Dir(h.file)) // another process
		again.Say = h.Say
		said()
		must(t, again.Down(t.Context(), "a"))
		if got := strings.Count(said(), "taken back"); got != len(broken)-1 {
			t.Errorf("%d steps were taken back, want %d", got, len(broken)-1)
		}
	})
}

func TestLockedState(t *testing.T) {
	file := stateFile(t.TempDir())
	unlock, err := lockState(t.Context(), file)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := lockState(ctx, file); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it is locked: %v", err)
	}
	unlock()
	unlock, err = lockState(t.Context(), file)
	must(t, err)
	unlock()
}

func TestBrokenState(t *testing.T) {
	h := New(t.TempDir())
	must(t, os.MkdirAll(filepath.Dir(h.file), 0o755))
	for _, text := range []string{"{", `{"done":[{"kind":"nonsense"}]}`, `{"done":[{"kind":"sysctl","step":7}]}`} {
		must(t, os.WriteFile(h.file, []byte(text), 0o600))
		if err := h.Down(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), h.file) {
			t.Errorf("%s: got %v, want an error that names the file", text, err)
		}
	}
}

// TestStateKeepsSteps sees that every kind of step survives the state file.
func TestStateKeepsSteps(t *testing.T) {
	mark := conf.Mark{Protocol: conf.TCP, Addr: netip.MustParseAddr("10.0.0.80"), Ports: []conf.PortRange{{First: 80, Last: 80}}}
	all := append(steps(t, "10.0.0.80"), &Device{"tunl0"}, markStep(Iptables, 8, mark), markStep(NFTables, 8, mark))
	s := &state{}
	for _, step := range all {
		s.add(step, "0").want("a")
	}
	file := filepath.Join(t.TempDir(), "state")
	must(t, s.write(file))
	got, err := readState(file)
	must(t, err)
	if diff := cmp.Diff(s.Done, got.Done, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("state (-written +read):\n%s", diff)
	}
}

// TestPacketFilters has both filters do and take back a mark and a masquerade.
func TestPacketFilters(t *testing.T) {
	lab.Need(t, "nftables", "iptables")
	for _, filter := range []Filter{Iptables, NFTables} {
		t.Run(string(filter), func(t *testing.T) {
			inOwnSpace(t, func(t *testing.T) {
				h, said := testHost(t)
				cfg := parse(t, "virtual=8\n    mark=tcp 10.0.0.80:80,23,8000-8010\n    mark=udp 10.0.0.80\n    real=10.1.0.1 gate\n"+
					"virtual6=9\n    mark=tcp [fd00::80]:80,23\n    real6=[fd00::1] gate\n")
				want := append(markSteps(cfg, filter), masqueradeStep(filter, netip.MustParsePrefix("10.1.0.0/24")))
				must(t, h.Up(t.Context(), "a", want))
				if got := statusText(h, want); strings.Count(got, "ok  ") != len(want) {
					t.Errorf("status after up:\n%s", got)
				}
				must(t, h.Up(t.Context(), "a", want))
				said()
				must(t, h.Down(t.Context(), "a"))
				if got := strings.Count(said(), "taken back"); got != len(want) {
					t.Errorf("%d rules were taken back, want %d", got, len(want))
				}
				if got := statusText(h, want); strings.Count(got, "missing") != len(want) {
					t.Errorf("status after down:\n%s", got)
				}
			})
		})
	}
}

func TestFilterOfThisHost(t *testing.T) {
	lab.Need(t, "nftables", "iptables")
	h := New(t.TempDir())
	h.machine.proc = t.TempDir()
	refuse := errors.New("no nftables in this kernel")
	for _, tt := range []struct {
		name   string
		tables string
		nft    error
		want   Filter
	}{
		{"tables of iptables", "mangle\n", nil, Iptables},
		{"none", "", nil, NFTables},
		{"nft does not work", "", refuse, Iptables},
	} {
		must(t, os.MkdirAll(filepath.Join(h.machine.proc, "net"), 0o755))
		must(t, os.WriteFile(filepath.Join(h.machine.proc, "net/ip_tables_names"), []byte(tt.tables), 0o600))
		h.machine.run = func(context.Context, string, string, ...string) (string, error) { return "", tt.nft }
		if got := h.Filter(t.Context()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestPlace(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h := New(t.TempDir())
		cfg := parse(t, "virtual=10.0.0.80:80\n    real=10.0.0.11:80 masq\nvirtual=172.16.0.1:80\n    real=10.0.0.11:80 gate\n")
		want := Place{VIPs: map[netip.Addr]string{netip.MustParseAddr("10.0.0.80"): "eth0", netip.MustParseAddr("172.16.0.1"): ""}, Reals: []string{"eth0"}}
		got, err := h.Place(cfg, "")
		must(t, err)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("place (-want +got):\n%s", diff)
		}
		got, err = h.Place(cfg, "other")
		must(t, err)
		if dev := got.VIPs[netip.MustParseAddr("10.0.0.80")]; dev != "other" {
			t.Errorf("with a device it is %q", dev)
		}
		if _, err := h.Place(cfg, "none"); err == nil {
			t.Error("a device that is not there was accepted")
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDryRun(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		want := steps(t, "10.0.0.80")
		before := statusText(h, want)
		h.DryRun = true
		must(t, h.Up(t.Context(), "a", append(want, &Device{"none"})))
		if got := said(); strings.Count(got, "\n") != len(want)+1 || !strings.Contains(got, "\nlink up none (after the steps before: there is no device none)\n") {
			t.Errorf("said:\n%s", got)
		}
		if diff := cmp.Diff(before, statusText(h, want)); diff != "" || exists(h.file+".lock") {
			t.Errorf("a dry run did something (-before +after):\n%s", diff)
		}
		h.DryRun = false
		must(t, h.Up(t.Context(), "a", want))
		said()
		h.DryRun = true
		must(t, h.Down(t.Context(), "a"))
		if got := strings.Count(said(), "taken back"); got != len(want) {
			t.Errorf("said that %d steps would be taken back, want %d", got, len(want))
		}
		held, err := h.Held("a")
		if err != nil || len(held) != len(want) {
			t.Errorf("after a dry run %d steps are held, %v; want %d", len(held), err, len(want))
		}
	})
}

// TestFailedStep has nothing to be taken back of a step that could not be made.
func TestFailedStep(t *testing.T) {
	inOwnSpace(t, func(t *testing.T) {
		h, said := testHost(t)
		bad := &Sysctl{"net/ipv4/ip_forward", "no number"}
		if err := h.Up(t.Context(), "a", []Step{&Sysctl{"net/ipv4/conf/all/arp_ignore", "1"}, bad}); err == nil {
			t.Fatal("the kernel has taken a value that is no number")
		}
		said()
		must(t, h.Down(t.Context(), "a"))
		expect(t, said(), "\ntaken back: sysctl net.ipv4.conf.all.arp_ignore 1 (again 0)\n")
	})
}
