package ipvs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mqliang/libipvs"
	"github.com/sirupsen/logrus"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestKernel does to the real kernel what the tests of Memory do to memory, and
// more.
func TestKernel(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	// Without lo the kernel takes no IPv4 address for unicast.
	run(t, "ip", "link", "set", "lo", "up")
	t.Run("rules", testKernelRules)
	t.Run("writes are counted", testKernelWrites)
	t.Run("what others have made", testKernelOfOthers)
	t.Run("agrees with memory", testKernelAgreesWithMemory)
	t.Run("many", testKernelMany)
}

// testKernelRules has the table read back by ipvsadm and by libipvs too.
func testKernelRules(t *testing.T) {
	other, err := libipvs.NewIPVSHandle(libipvs.IPVSHandleParams{LoadModule: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			k := open(t)
			testRuleTogether(t, k, r)
			k = open(t)
			testRule(t, k, r)
			got := saved(t, k)
			if diff := cmp.Diff(byIPVSAdm(t), ipvsadmOnly(got)); diff != "" {
				t.Errorf("the table as ipvsadm reads it, and we (-ipvsadm +we):\n%s", diff)
			}
			asIs := cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})
			if diff := cmp.Diff(byLibipvs(t, other), libipvsOnly(entries(t, k)), asIs); diff != "" {
				t.Errorf("the table as libipvs reads it, and we (-libipvs +we):\n%s", diff)
			}
		})
	}
}

// TestKernelModule follows the module: not there, loaded by Open, not allowed,
// unloaded under a Kernel, loaded anew.
func TestKernelModule(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	run(t, "mount", "-t", "tmpfs", "none", "/lib/modules")
	testWithoutIPVS(t)
	run(t, "umount", "/lib/modules")
	// Nothing is loaded but by Open itself.
	if err := os.WriteFile("/proc/sys/kernel/modprobe", []byte("/bin/false"), 0); err != nil {
		t.Fatal(err)
	}
	t.Run("quietly", testOpenQuietly)
	k := openAsIs(t)
	v, err := ReadVersion(t.Context())
	if want := "IP Virtual Server version 1.2.1 (size=4096)"; err != nil || v.String() != want {
		t.Errorf("version: got %q, error %v; want %q", v, err, want)
	}
	testStep(t, k, do(AddService, web).fails(fs.ErrNotExist,
		"-A -t 10.0.0.1:80 -s wrr: no such scheduler in this kernel: modprobe ip_vs_wrr"))
	testWithoutRights(t)
	missing := do(DeleteDestination, web, destination("10.1.0.1:80", Masq, 1))
	run(t, "modprobe", "-r", "ip_vs")
	testStep(t, k, missing.fails(errors.ErrUnsupported, ""))
	run(t, "modprobe", "ip_vs")
	testStep(t, k, missing.fails(errors.ErrUnsupported,
		"-d -t 10.0.0.1:80 -r 10.1.0.1:80: ip_vs was unloaded and loaded again while in use: restart this program"))
	for _, err := range k.ApplyAll([]Change{missing.change, missing.change}) {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("ApplyAll with the module loaded anew: got %v, want errors.ErrUnsupported", err)
		}
	}
	if _, err := k.Read(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Read with the module loaded anew: got %v, want errors.ErrUnsupported", err)
	}
}

// testOpenQuietly opens the table where modprobe is not in the PATH: Open finds it
// all the same; moby/ipvs does not, and warns on the global logger, which nobody
// is to see.
func testOpenQuietly(t *testing.T) {
	t.Setenv("PATH", "")
	var out bytes.Buffer
	logrus.SetOutput(&out)
	level := logrus.GetLevel()
	openAsIs(t)
	if out.Len() > 0 {
		t.Errorf("logged while opening the table: %s", out.String())
	}
	if logrus.GetLevel() != level {
		t.Errorf("the level of the global logger is %v afterwards, it was %v", logrus.GetLevel(), level)
	}
}

func testWithoutIPVS(t *testing.T) {
	t.Helper()
	_, err := Open(t.Context())
	if want := "IPVS is not in this kernel: modprobe ip_vs"; err == nil || err.Error() != want {
		t.Errorf("Open without IPVS: got error %v, want %q", err, want)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Open without IPVS: error %v is not errors.ErrUnsupported", err)
	}
	if _, err := ReadVersion(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("ReadVersion without IPVS: got %v, want errors.ErrUnsupported", err)
	}
}

// testWithoutRights gives the effective user up for a moment.
func testWithoutRights(t *testing.T) {
	t.Helper()
	if err := syscall.Seteuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	}()
	if _, err := Open(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Open without rights: got %v, want fs.ErrPermission", err)
	}
}

// testKernelWrites: only what the kernel has done is counted.
func testKernelWrites(t *testing.T) {
	k := open(t)
	testStep(t, k, do(AddService, web))
	testStep(t, k, do(AddService, web).fails(fs.ErrExist, ""))
	testStep(t, k, do(AddService, service(TCP, "10.0.0.1:80", "")).fails(errAny, ""))
	testStep(t, k, do(AddDestination, web, destination("10.1.0.1:80", Masq, 1)))
	if _, err := k.Read(); err != nil {
		t.Fatal(err)
	}
	if k.Writes() != 2 {
		t.Errorf("%d writes are counted, 2 changes were made", k.Writes())
	}
}

// testKernelOfOthers: what others have put into the table is read as it is.
func testKernelOfOthers(t *testing.T) {
	k := open(t)
	run(t, "ipvsadm", "-A", "-t", "10.0.0.1:80", "-s", "rr", "-p", "9", "-M", "255.0.255.0")
	run(t, "ipvsadm", "-A", "-t", "[::ffff:1.2.3.4]:80", "-s", "none")
	run(t, "ipvsadm", "-A", "-t", "[fd00::1]:80", "-s", "rr")
	run(t, "ipvsadm", "-a", "-t", "[fd00::1]:80", "-r", "10.1.0.1:80", "-i")
	want := []string{
		"-A -t 10.0.0.1:80 -s rr -p 9 -M 255.0.255.0",
		"-A -t [::ffff:1.2.3.4]:80 -s none",
		"-A -t [fd00::1]:80 -s rr",
		"-a -t [fd00::1]:80 -r 10.1.0.1:80 -i -w 1 --tun-type ipip",
	}
	if diff := cmp.Diff(want, saved(t, k)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// testKernelAgreesWithMemory does the same random changes to both, now one, now
// many at once. They must answer the same and hold the same.
func testKernelAgreesWithMemory(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	k, m := open(t), NewMemory()
	made := 0
	for range 300 {
		changes := make([]Change, random.IntN(20)+1)
		for i := range changes {
			changes[i] = randomChange(random)
		}
		byKernel, byMemory := ApplyAll(k, changes), ApplyAll(m, changes)
		for i := range changes {
			if fmt.Sprint(byKernel[i]) != fmt.Sprint(byMemory[i]) {
				t.Fatalf("the kernel answers %v, memory %v", byKernel[i], byMemory[i])
			}
			if byKernel[i] == nil {
				made++
			}
		}
	}
	if uint64(made) != k.Writes() {
		t.Errorf("%d writes are counted, %d were made", k.Writes(), made)
	}
	if made < 300 {
		t.Errorf("only %d changes were made", made)
	}
	asIs := cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})
	if diff := cmp.Diff(entries(t, k), entries(t, m), asIs, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("table (-kernel +memory):\n%s", diff)
	}
}

// randomChange chooses from so little that changes meet.
func randomChange(r *rand.Rand) Change {
	services := []Service{web, web6, dns, all, mark, markService(8, true, "rr")}
	s := services[r.IntN(len(services))]
	s.Scheduler = []string{"rr", "wlc", "sh"}[r.IntN(3)]
	s.Flags = Flags(r.IntN(1<<6)) &^ FlagOnePacket
	s.Timeout = uint32(r.IntN(3))
	s.Netmask = []Netmask{0, 1, 64, 127, 128, 255, 0xff00, AllClients, Netmask(r.Uint32())}[r.IntN(9)]
	addr := netip.AddrFrom4([4]byte{10, 1, 0, byte(r.IntN(3))})
	if s.IPv6 {
		addr = netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(r.IntN(3))})
	}
	ops := []Op{AddService, EditService, DeleteService, AddDestination, EditDestination, DeleteDestination, AddDestination, EditDestination, AddDestination}
	return Change{Op: ops[r.IntN(len(ops))], Service: s, Destination: Destination{
		AddrPort: netip.AddrPortFrom(addr, uint16(r.IntN(2))), Forward: Forward(r.IntN(4)),
		Weight: r.IntN(70000) - 10, Upper: uint32(r.IntN(9)), Lower: uint32(r.IntN(5)),
	}}
}

// testKernelMany: ten thousand changes, one by one and together, and a large
// table read back. The times are for the reader of the log; docs name them.
func testKernelMany(t *testing.T) {
	const services, each = 100, 100
	var made, deleted []Change
	for i := range services {
		s := service(TCP, fmt.Sprintf("10.0.0.1:%d", i+1), "wlc")
		made = append(made, do(AddService, s).change)
		for n := range each {
			d := destination(fmt.Sprintf("10.1.%d.%d:80", i%250, n), Masq, n)
			made = append(made, do(AddDestination, s, d).change)
			deleted = append(deleted, do(DeleteDestination, s, d).change)
		}
	}
	k := open(t)
	start := time.Now()
	for _, c := range slices.Concat(made, deleted) {
		testStep(t, k, step{change: c})
	}
	t.Logf("%d changes one by one in %v", k.Writes(), time.Since(start))
	k = open(t)
	start = time.Now()
	for i, err := range k.ApplyAll(slices.Concat(made, deleted, deleted)) {
		if refused := i >= len(made)+len(deleted); refused != errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	t.Logf("as many together, and %d that are refused, in %v", len(deleted), time.Since(start))
	k = open(t)
	k.ApplyAll(made)
	start = time.Now()
	table := entries(t, k)
	t.Logf("read in %v", time.Since(start))
	if len(table) != services {
		t.Errorf("%d services are read, %d were made", len(table), services)
	}
	for _, e := range table {
		if len(e.Destinations) != each {
			t.Errorf("%s: %d destinations are read, %d were made", e.Service.Key, len(e.Destinations), each)
		}
	}
}

// open is the kernel's table, made empty.
func open(t *testing.T) *Kernel {
	t.Helper()
	run(t, "ipvsadm", "-C")
	return openAsIs(t)
}

func openAsIs(t *testing.T) *Kernel {
	t.Helper()
	k, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// byIPVSAdm is the table as ipvsadm prints it.
func byIPVSAdm(t *testing.T) []string {
	t.Helper()
	lines := strings.FieldsFunc(run(t, "ipvsadm", "-S", "-n"), func(r rune) bool { return r == '\n' })
	for i := range lines {
		lines[i] = strings.Replace(lines[i], "-f -1", "-f 4294967295", 1)
	}
	slices.Sort(lines)
	return lines
}

// ipvsadmOnly returns our lines as ipvsadm prints them: without thresholds.
func ipvsadmOnly(lines []string) []string {
	var printed []string
	for _, line := range lines {
		words := strings.Fields(line)
		for _, option := range []string{"-x", "-y"} {
			if i := slices.Index(words, option); i >= 0 {
				words = slices.Delete(words, i, i+2)
			}
		}
		printed = append(printed, strings.Join(words, " "))
	}
	slices.Sort(printed)
	return printed
}

// byLibipvs is the table as libipvs reads it, without what it cannot read: the
// persistence engine, and the destinations of services for all ports, for which
// it panics.
func byLibipvs(t *testing.T, h libipvs.IPVSHandle) []Entry {
	t.Helper()
	services, err := h.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	var table []Entry
	for _, s := range services {
		e := Entry{Service: fromLibipvs(s)}
		if s.FWMark != 0 || s.Port != 0 {
			found, err := h.ListDestinations(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range found {
				e.Destinations = append(e.Destinations, destinationFromLibipvs(d))
			}
		}
		table = append(table, e)
	}
	sortTable(table)
	return table
}

func fromLibipvs(s *libipvs.Service) Service {
	ipv6 := s.AddressFamily == syscall.AF_INET6
	r := Service{
		Key:       Key{Protocol: Protocol(s.Protocol), Port: s.Port, Mark: s.FWMark, IPv6: ipv6},
		Scheduler: s.SchedName, Flags: Flags(s.Flags.Flags), Timeout: s.Timeout, Netmask: readNetmask(s.Netmask, ipv6),
	}
	if s.FWMark == 0 {
		r.Addr, _ = netip.AddrFromSlice(s.Address)
	}
	return r
}

func destinationFromLibipvs(d *libipvs.Destination) Destination {
	addr, _ := netip.AddrFromSlice(d.Address)
	return Destination{
		AddrPort: netip.AddrPortFrom(addr, d.Port), Forward: Forward(d.FwdMethod & forwardMask), Weight: int(d.Weight),
		Upper: d.UThresh, Lower: d.LThresh, Active: d.ActiveConns, Inactive: d.InactConns, Persistent: d.PersistConns,
	}
}

// libipvsOnly is our table without what libipvs cannot read.
func libipvsOnly(table []Entry) []Entry {
	for i := range table {
		table[i].Service.PE = ""
		if table[i].Service.Mark == 0 && table[i].Service.Port == 0 {
			table[i].Destinations = nil
		}
	}
	return table
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}
