package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A speaker is a BGP daemon on the directors: its example has the configurations that are used.
type speaker struct {
	name   string // of the directory in packaging/examples
	device bool   // it announces the addresses of a device (vipdevice), and not what a command says
	script string // in that directory: quorumcommand, and vipcommand of some
	start  func(f *fleet, director int)
}

// A fleet is a router with some directors behind it, which announce the virtual address by BGP.
type fleet struct {
	*lab.Net
	t       *testing.T
	binary  string
	dir     string
	speaker speaker
	ends    map[int]bool // directors whose daemon is to be stopped
}

const (
	mostDirectors = 3            // as in the example of the router
	otherVIP      = "10.80.0.99" // which the administrator has put on the device
)

// newFleet builds the network and starts directors: each has the speaker and the program with the
// files of packaging/examples. One more director is there for join.
func newFleet(t *testing.T, s speaker, directors int) *fleet {
	t.Helper()
	hosts := min(directors+1, mostDirectors)
	f := &fleet{Net: lab.Fleet(t, hosts, 2), t: t, binary: lab.Program(t, program), dir: t.TempDir(), speaker: s, ends: map[int]bool{}}
	t.Cleanup(func() {
		for i := range f.ends {
			f.stopped(i)
		}
		for i := range hosts {
			f.kill(lab.FleetDirector(i + 1))
		}
		f.kill("router")
	})
	for _, rs := range []string{"rs1", "rs2"} {
		echo(t, f.Net, rs, ":80")
	}
	f.must(os.WriteFile(f.at("router.conf"), []byte(f.example("bird", "router.conf")), 0o644))
	f.Output("router", "bird", "-c", f.at("router.conf"), "-s", f.at("router.ctl"), "-P", f.at("router.pid"))
	for i := 1; i <= directors; i++ {
		f.join(i)
	}
	f.paths(directors)
	return f
}

// join starts a director.
func (f *fleet) join(director int) {
	f.t.Helper()
	name := lab.FleetDirector(director)
	f.must(f.In(name, func() error { return sysctl("ipv4/vs/sloppy_tcp", "1") }))
	if f.speaker.device && director == 1 { // the administrator's own address, and device
		f.Output(name, "ip", "link", "add", "lvs0", "type", "dummy")
		f.Output(name, "ip", "link", "set", "lvs0", "up")
		f.Output(name, "ip", "address", "add", otherVIP+"/32", "dev", "lvs0")
	}
	f.write(director, "ldirectord.cf", ".cf", 0o644)
	f.write(director, f.speaker.script, ".script", 0o755)
	f.speaker.start(f, director)
	f.run(director, "start")
	f.ends[director] = true
}

// write writes a file of the example for a director, which shares its files with the others.
func (f *fleet) write(director int, file, suffix string, mode os.FileMode) {
	f.t.Helper()
	name := lab.FleetDirector(director)
	own := strings.NewReplacer("/usr/local/sbin/"+f.speaker.script, f.at(name+".script"),
		"/etc/bird/fallback", f.at(name+".fallback"), "/etc/frr/fallback", f.at(name+".fallback"), "/run/fallback", f.at(name+".fallback"),
		"birdc ", "birdc -s "+f.at(name+".ctl")+" ", "vtysh ", "vtysh -N "+name+" ")
	f.must(os.WriteFile(f.at(name+suffix), []byte(own.Replace(f.example(f.speaker.name, file))), mode))
}

// kill kills all processes of a namespace.
func (f *fleet) kill(ns string) {
	pids, err := exec.Command("ip", "netns", "pids", ns).Output()
	if err != nil {
		f.t.Errorf("processes of %s: %v", ns, err)
	}
	for word := range strings.FieldsSeq(string(pids)) {
		if pid, err := strconv.Atoi(word); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
}

func (f *fleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// at is a file of the test.
func (f *fleet) at(name string) string { return filepath.Join(f.dir, name) }

// example is the text of a file in packaging/examples.
func (f *fleet) example(parts ...string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"../../packaging/examples"}, parts...)...))
	f.must(err)
	return string(text)
}

// words are the arguments of a command for the program on a director.
func (f *fleet) words(director int, command ...string) []string {
	name := lab.FleetDirector(director)
	return append([]string{"--rundir=" + f.at(name+".run"), "--statedir=" + f.at(name+".state"), f.at(name + ".cf")}, command...)
}

func (f *fleet) run(director int, command ...string) string {
	f.t.Helper()
	return f.Output(lab.FleetDirector(director), f.binary, f.words(director, command...)...)
}

// stopped stops the program on a director when the context of the test is over.
func (f *fleet) stopped(director int) {
	words := append([]string{"--net=/run/netns/" + lab.FleetDirector(director), "--", f.binary}, f.words(director, "stop")...)
	if out, err := exec.Command("nsenter", words...).CombinedOutput(); err != nil {
		f.t.Errorf("stopping director %d: %v\n%s", director, err, out)
	}
}

// gateways are those of the router's route to an address: without a process, as the network needs the CPU.
func (f *fleet) gateways(address string) (list []string) {
	f.t.Helper()
	f.must(f.In("router", func() error {
		dst := &net.IPNet{IP: net.ParseIP(address).To4(), Mask: net.CIDRMask(32, 32)}
		routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Dst: dst}, netlink.RT_FILTER_DST)
		for _, r := range routes {
			if len(r.MultiPath) == 0 {
				list = append(list, r.Gw.String())
			}
			for _, path := range r.MultiPath {
				list = append(list, path.Gw.String())
			}
		}
		return err
	}))
	return list
}

// paths waits until the router has so many paths to the virtual address.
func (f *fleet) paths(n int) {
	f.t.Helper()
	if !eventually.Holds(func() bool { return len(f.gateways(lab.RoutedVIP)) == n }) {
		log, _ := os.ReadFile("/var/log/ldirectord.log")
		f.t.Fatalf("the router has the paths %q, want %d\n%s%s", f.gateways(lab.RoutedVIP), n, f.Output("router", "birdc", "-s", f.at("router.ctl"), "show", "protocols"), log)
	}
}

// via reports whether the router has a path by a director.
func (f *fleet) via(director int) bool {
	f.t.Helper()
	return slices.Contains(f.gateways(lab.RoutedVIP), fmt.Sprintf("10.0.0.%d", director))
}

// bird starts BIRD on a director.
var bird = speaker{name: "bird", device: true, script: "metric", start: func(f *fleet, director int) {
	name := lab.FleetDirector(director)
	f.write(director, "bird.conf", ".bird", 0o644)
	f.write(director, "fallback.conf", ".fallback.conf", 0o644)
	f.Output(name, "bird", "-c", f.at(name+".bird"), "-s", f.at(name+".ctl"), "-P", f.at(name+".pid"))
}}

// A fault is what happens to the first director of a fleet of some.
type fault struct {
	name  string
	do    func(f *fleet, directors int)
	paths int  // how many more the router has afterwards
	hazy  bool // until the address is withdrawn, new connections may be refused or lost: none is opened
}

var faults = []fault{
	{name: "stop", paths: -1, do: func(f *fleet, _ int) {
		f.run(1, "stop")
		delete(f.ends, 1)
		if f.via(1) {
			f.t.Error("the router has a path by the director that was stopped")
		}
		if f.speaker.device && !slices.Equal(f.gateways(otherVIP), []string{"10.0.0.1"}) {
			f.t.Errorf("the address that was on the device before is gone with the stop:\n%s", f.Output(lab.FleetDirector(1), "ip", "address"))
		}
	}},
	{name: "unplugged", paths: -1, do: func(f *fleet, _ int) { f.Unplug(lab.FleetDirector(1)) }},
	{name: "its real servers are dead", paths: -1, hazy: true, do: func(f *fleet, _ int) { f.realServers(1, "-A") }},
	{name: "another one joins", paths: 1, do: func(f *fleet, directors int) { f.join(directors + 1) }},
	{name: "restart, upgrade, reload, crash", do: func(f *fleet, _ int) {
		f.outlives("restart", func() { f.run(1, "restart") })
		f.outlives("upgrade", func() {
			newer := f.at("ldirectord")
			copyFile(f.t, f.binary, newer, 0o755)
			f.binary = newer
			f.run(1, "restart")
		})
		f.outlives("reload", func() { f.run(1, "reload") })
		f.outlives("crash", f.crash)
	}},
}

// realServers has the checks of a director fail (-A), or lets them be (-D).
func (f *fleet) realServers(director int, verb string) {
	f.t.Helper()
	f.Output(lab.FleetDirector(director), "iptables-legacy", verb, "OUTPUT", "-d", "10.0.1.0/24", "-p", "tcp", "--dport", "80", "-j", "REJECT", "--reject-with", "tcp-reset")
}

// crash kills the program on the first director and starts it again.
func (f *fleet) crash() {
	f.t.Helper()
	files, _ := filepath.Glob(f.at(lab.FleetDirector(1)+".run") + "/*.pid") // the pattern is valid
	if len(files) != 1 {
		f.t.Fatalf("pid files: %q", files)
	}
	text, err := os.ReadFile(files[0])
	f.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	f.must(err)
	f.must(syscall.Kill(pid, syscall.SIGKILL))
	await(f.t, "the killed daemon's end", func() bool { return gone(pid) })
	f.run(1, "start")
}

// outlives wants the router to hear nothing of what happens to the program on the first director.
func (f *fleet) outlives(what string, do func()) {
	f.t.Helper()
	session, heard := f.heard()
	do()
	eventually.True(f.t, "the daemon after a "+what, func() bool {
		return f.Command(lab.FleetDirector(1), f.binary, f.words(1, "served", lab.RoutedVIP)...).Run() == nil
	})
	again, now := f.heard()
	f.t.Logf("%s: the router has had %s, and then %s", what, heard, now)
	if session == again && now != heard { // not after BFD has ended the session, on a busy machine
		f.t.Errorf("%s: the router has had %s, and then %s, of the director", what, heard, now)
	}
}

// heard is how many updates and withdrawals the router has had of the first director, and since when it
// speaks with it.
func (f *fleet) heard() (session, counts string) {
	f.t.Helper()
	eventually.True(f.t, "the session with the first director", func() bool { // BFD ends it now and then on a busy machine
		session, counts = "", ""
		for line := range strings.Lines(f.Output("router", "birdc", "-s", f.at("router.ctl"), "show", "protocols", "all", "director1")) {
			switch words := strings.Fields(line); {
			case len(words) > 4 && words[0] == "director1":
				session = words[4]
			case len(words) > 2 && words[0] == "Import" && f.speaker.device && words[1] == "updates:":
				counts += words[2] + " updates, "
			case len(words) > 2 && words[0] == "Import" && words[1] == "withdraws:":
				counts += words[2] + " withdrawals"
			}
		}
		return counts != ""
	})
	return session, counts
}

// survive has a fault come over the first director of a fleet while a client holds connections, and returns
// how many of them live on, of how many, and the time until the router has learnt it.
func (f *fleet) survive(fa fault, directors int, many size) (alive, held int, took time.Duration) {
	f.t.Helper()
	c := newAudience(f.t, f.Net, lab.RoutedVIP+":80", many)
	alive, held, refused := c.during(fa.name, fa.hazy, func() {
		began := time.Now()
		fa.do(f, directors)
		f.paths(directors + fa.paths)
		took = time.Since(began)
	})
	if alive != held || refused > 0 && !fa.hazy {
		f.t.Errorf("%s: %d of %d connections live on, %d were refused", fa.name, alive, held, refused)
	}
	return alive, held, took
}

// TestFleet has the program on one of two directors whose address BIRD announces die and start again, of
// which the router hears nothing, and then stops it: no connection is reset, none is refused, the route is
// gone before the table, and an address that was on the device before stays. The TestHA… have the other
// faults and BGP daemons.
func TestFleet(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	lab.Need(t, "bird2")
	if !lab.Inside(t) {
		return
	}
	f := newFleet(t, bird, 2)
	stop := faults[0]
	stop.do = func(f *fleet, directors int) {
		f.outlives("crash", f.crash)
		faults[0].do(f, directors)
	}
	f.survive(stop, 2, few)
}
