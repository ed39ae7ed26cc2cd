//go:build ha

package acceptance

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// everyone is what docs/scale-out.md counts.
var everyone = size{60, 25, pause}

// perDirector is the address of the first director, which the examples of FRR and GoBGP have
// in one line.
const perDirector = "10.0.0.1"

var frr = speaker{name: "frr", device: true, script: "metric", start: func(f *fleet, director int) {
	name := lab.FleetDirector(director)
	etc, run := filepath.Join("/etc/frr", name), filepath.Join("/var/run/frr", name)
	f.must(os.MkdirAll(etc, 0o755))
	f.must(os.MkdirAll(run, 0o755))
	f.Output(name, "chown", "-R", "frr:frr", "/var/run/frr")
	text := strings.Replace(f.example("frr", "frr.conf"), "router-id "+perDirector, fmt.Sprintf("router-id 10.0.0.%d", director), 1)
	f.must(os.WriteFile(filepath.Join(etc, "frr.conf"), []byte(text), 0o644))
	for _, daemon := range []string{"zebra", "bgpd", "bfdd"} {
		f.Output(name, "/usr/lib/frr/"+daemon, "-N", name, "-d", "-A", "127.0.0.1")
	}
	f.Output(name, "vtysh", "-N", name, "-b")
}}

var gobgp = speaker{name: "gobgp", script: "announce", start: func(f *fleet, director int) {
	name := lab.FleetDirector(director)
	text := strings.Replace(f.example("gobgp", "gobgpd.conf"), `"`+perDirector+`"`, fmt.Sprintf(`"10.0.0.%d"`, director), 1)
	f.must(os.WriteFile(f.at(name+".gobgp"), []byte(text), 0o644))
	log, err := os.Create(f.at(name + ".gobgp.log"))
	f.must(err)
	cmd := f.Command(name, "gobgpd", "-f", f.at(name+".gobgp"))
	cmd.Stdout, cmd.Stderr = log, log
	f.must(cmd.Start())
	f.t.Cleanup(func() { _ = cmd.Wait() }) // killed with the test
}}

// TestHABird, TestHAFRR and TestHAGoBGP have each fault come over a fleet whose address is announced by this
// BGP daemon, with the files of packaging/examples, and want the rows of docs/scale-out.md.
func TestHABird(t *testing.T)  { eachFault(t, bird, "BIRD", "bird2") }
func TestHAFRR(t *testing.T)   { eachFault(t, frr, "FRR", "frr") }
func TestHAGoBGP(t *testing.T) { eachFault(t, gobgp, "GoBGP", "gobgpd") }

func eachFault(t *testing.T, s speaker, name, packet string) {
	lab.Program(t, program)
	lab.Need(t, "bird2", packet)
	if !lab.Inside(t) {
		return
	}
	row, cells := "| "+name+" |", 0
	for _, fa := range faults {
		t.Run(fa.name, func(t *testing.T) {
			before := mostDirectors - max(fa.paths, 0)
			alive, held, took := newFleet(t, s, before).survive(fa, before, everyone)
			t.Logf("%s, %s: %d of %d connections live on; the router has learnt it after %v", name, fa.name, alive, held, took)
			row += fmt.Sprintf(" %d/%d |", alive, held)
			cells++
		})
	}
	t.Run("fallback", func(t *testing.T) { newFleet(t, s, mostDirectors).fallbacks() })
	t.Run("reboot", func(t *testing.T) { newFleet(t, s, mostDirectors).reboot() })
	document, err := os.ReadFile("../../docs/scale-out.md")
	if err != nil {
		t.Fatal(err)
	}
	if cells == len(faults) && !strings.Contains(string(document), row+"\n") { // -run may leave some out
		t.Errorf("docs/scale-out.md lacks the row\n%s", row)
	}
}

// reboot has the first director lose its power and boot again while its real servers do not answer yet: it
// speaks BGP at once, and announces the address after their checks, with the whole table.
func (f *fleet) reboot() {
	f.t.Helper()
	name := lab.FleetDirector(1)
	delete(f.ends, 1)
	f.kill(name)
	f.paths(mostDirectors - 1)
	f.Output(name, "ipvsadm", "-C")
	if f.speaker.name != "gobgp" {
		f.Output(name, "ip", "link", "delete", "lvs0")
	}
	f.must(os.RemoveAll(f.at(name + ".run")))
	silence := []string{"OUTPUT", "-d", "10.0.1.0/24", "-p", "tcp", "--dport", "80", "-j", "DROP"}
	f.Output(name, "iptables-legacy", append([]string{"-A"}, silence...)...)
	f.join(1)
	eventually.True(f.t, "the BGP session of the director that has booted", func() bool {
		for line := range strings.Lines(f.Output("router", "birdc", "-s", f.at("router.ctl"), "show", "protocols")) {
			if strings.HasPrefix(line, "director1 ") && strings.Contains(line, "Established") {
				return true
			}
		}
		return false
	})
	if f.via(1) {
		f.t.Error("the director is announced before its checks")
	}
	f.Output(name, "iptables-legacy", append([]string{"-D"}, silence...)...)
	eventually.True(f.t, "the path by the director that has booted", func() bool {
		full := f.full(1)
		announced := f.via(1)
		if announced && !full && !f.full(1) {
			f.t.Error("the director is announced without its table")
			return true
		}
		return announced
	})
}

// fallbacks has the real servers of one director die, which then gets no clients while others serve, and
// those of all: then all announce the address, and show the fallback's page.
func (f *fleet) fallbacks() {
	f.t.Helper()
	for i := range mostDirectors {
		echo(f.t, f.Net, lab.FleetDirector(i+1), ":80")
	}
	answers := func(when, who string) {
		f.t.Helper()
		for range 2 * mostDirectors {
			var line string
			eventually.True(f.t, when+": an answer of a "+who, func() bool {
				var err error
				line, err = ask(f.t, f.Net, lab.RoutedVIP+":80")
				return err == nil && strings.HasPrefix(line, who)
			})
		}
	}
	answers("all serve", "rs")
	f.realServers(1, "-A")
	f.paths(mostDirectors - 1)
	if f.via(1) {
		f.t.Error("the router has a path by the director that only its fallback serves")
	}
	answers("one is cut off", "rs")
	for i := 2; i <= mostDirectors; i++ {
		f.realServers(i, "-A")
	}
	answers("all are cut off", "director")
	f.paths(mostDirectors)
	f.realServers(2, "-D")
	f.paths(1)
	if !f.via(2) {
		f.t.Errorf("the router has the paths %q, want that by the director with real servers", f.gateways(lab.RoutedVIP))
	}
	answers("one has its real servers again", "rs")
	f.realServers(1, "-D")
	f.realServers(3, "-D")
	f.paths(mostDirectors)
	answers("all have", "rs")
}

// ask is the name of the server that answers a new connection.
func ask(t *testing.T, n *lab.Net, address string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually.Limit)
	defer cancel()
	conn, err := n.Dial(ctx, "client", "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	h := &heldConn{Conn: conn, answers: bufio.NewReader(conn)}
	err = h.say()
	return h.server, err
}

// full reports whether the table of a director has both real servers.
func (f *fleet) full(director int) bool {
	f.t.Helper()
	return strings.Count(f.Output(lab.FleetDirector(director), "ipvsadm", "-Sn"), " -r ") == 2
}
