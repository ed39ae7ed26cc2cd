package acceptance

import (
	"os"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestNamesFollow has a name of a real server move on a kernel: the table follows, and
// stays while the name is unknown, over a reload and a restart.
func TestNamesFollow(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	at := func(addr string) {
		t.Helper()
		line := addr + " web1.test\n"
		if addr == "" {
			line = ""
		}
		if err := os.WriteFile("/etc/hosts", []byte(string(hosts)+"\n"+line), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table := func(addr string) string {
		return "-A -t 192.168.1.99:80 -s wrr -p 300\n-a -t 192.168.1.99:80 -r " + addr + ":80 -g -w 2\n"
	}
	at("192.168.1.13")
	d := s.start(howto(t, "    real = 192.168.1.13:80 gate 2\n    real = 192.168.1.100:80 gate 1\n", "    real = web1.test:80 gate 2\n",
		"checkinterval = 10", "checkinterval = 1\nresolve = 2"))
	s.comesToHold(table("192.168.1.13"))
	at("192.168.1.100")
	s.comesToHold(table("192.168.1.100"))
	d.log.await("Name web1.test of tcp:192.168.1.99:80 is at 192.168.1.100:80 now, and was at 192.168.1.13:80")
	if out := d.run(0, "why", "web1.test"); !strings.Contains(out, "192.168.1.100:80 (web1.test) of tcp:192.168.1.99:80") {
		t.Errorf("why says\n%s", out)
	}
	at("")
	await(t, "the fault", func() bool {
		return strings.Contains(d.run(0, "show"), "the name web1.test of a real server cannot be looked up")
	})
	s.holds(table("192.168.1.100"))
	d.configure(howto(t, "    real = 192.168.1.13:80 gate 2\n    real = 192.168.1.100:80 gate 1\n", "    real = web1.test:80 gate 5\n",
		"checkinterval = 10", "checkinterval = 1\nresolve = 2"))
	s.comesToHold(strings.Replace(table("192.168.1.100"), "-w 2", "-w 5", 1)) // autoreload
	at("192.168.1.13")
	s.comesToHold(strings.Replace(table("192.168.1.13"), "-w 2", "-w 5", 1))
	d.run(0, "restart")
	s.comesToHold(strings.Replace(table("192.168.1.13"), "-w 2", "-w 5", 1))
	d.stop()
	s.holds("")
}
