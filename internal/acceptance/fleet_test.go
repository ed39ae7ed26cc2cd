package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A speaker is a BGP daemon on the directors: its example has the configurations that are used.
type speaker struct {
	name  string // of the directory in packaging/examples
	start func(f *fleet, director int)
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

// mostDirectors is how many the example of the router has.
const mostDirectors = 3

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
	f.must(os.WriteFile(f.at(name+".cf"), []byte(f.example(f.speaker.name, "ldirectord.cf")), 0o644))
	f.speaker.start(f, director)
	f.run(director, "start")
	f.ends[director] = true
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

// route is the router's route to the virtual address.
func (f *fleet) route() string {
	f.t.Helper()
	return f.Output("router", "ip", "route", "show", lab.RoutedVIP)
}

// paths waits until the router has so many paths to the virtual address.
func (f *fleet) paths(n int) {
	f.t.Helper()
	if !eventually.Holds(func() bool { return strings.Count(f.route(), "via 10.0.0.") == n }) {
		log, _ := os.ReadFile("/var/log/ldirectord.log")
		f.t.Fatalf("the router has the route %q, want %d paths\n%s%s", f.route(), n, f.Output("router", "birdc", "-s", f.at("router.ctl"), "show", "protocols"), log)
	}
}

// via reports whether the router has a path by a director.
func (f *fleet) via(director int) bool {
	f.t.Helper()
	return strings.Contains(f.route()+" ", fmt.Sprintf("via 10.0.0.%d ", director))
}

// bird starts BIRD on a director.
var bird = speaker{name: "bird", start: func(f *fleet, director int) {
	name := lab.FleetDirector(director)
	f.must(os.WriteFile(f.at(name+".bird"), []byte(f.example("bird", "bird.conf")), 0o644))
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
	}},
	{name: "unplugged", paths: -1, do: func(f *fleet, _ int) { f.Unplug(lab.FleetDirector(1)) }},
	{name: "its real servers are dead", paths: -1, hazy: true, do: func(f *fleet, _ int) {
		f.Output(lab.FleetDirector(1), "iptables-legacy", "-A", "OUTPUT", "-d", "10.0.1.0/24", "-p", "tcp", "--dport", "80", "-j", "REJECT", "--reject-with", "tcp-reset")
	}},
	{name: "another one joins", paths: 1, do: func(f *fleet, directors int) { f.join(directors + 1) }},
}

// survive has a fault come over the first director of a fleet while a client holds connections, and returns
// how many of them live on, of how many, and the time until the router has learnt it.
func (f *fleet) survive(fa fault, directors int) (alive, held int, took time.Duration) {
	f.t.Helper()
	c := newAudience(f.t, f.Net, lab.RoutedVIP+":80")
	young := make(chan struct{})
	grow := func() { defer close(young); c.grow() }
	if !fa.hazy {
		go grow()
	}
	began := time.Now()
	fa.do(f, directors)
	f.paths(directors + fa.paths)
	took = time.Since(began)
	if fa.hazy {
		grow()
	}
	<-young
	c.settle("the connections after: " + fa.name)
	alive, held, refused := c.result()
	if alive != held || refused > 0 && !fa.hazy {
		f.t.Errorf("%s: %d of %d connections live on, %d were refused", fa.name, alive, held, refused)
	}
	return alive, held, took
}

// TestFleet stops one of two directors whose address BIRD announces: no connection is
// reset, none is refused, and the route is gone before the table. TestHAFleet has the other
// faults and BGP daemons.
func TestFleet(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	lab.Need(t, "bird2")
	if !lab.Inside(t) {
		return
	}
	newFleet(t, bird, 2).survive(faults[0], 2)
}
