package acceptance

import (
	"os"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestDirectorUnitWaits boots ldirectord-director.service while a real server answers for one of two virtual
// addresses: it has the other one, names the machine, and gets the address when that is silent. A stop
// takes back what there is, also while it waits.
func TestDirectorUnitWaits(t *testing.T) {
	t.Parallel()
	lab.Need(t, "systemd", "procps")
	binary := lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	const unit, second = "ldirectord-director.service", "192.168.1.98"
	s := newSite(t, lab.DR)
	copyFile(t, binary, installedFile, 0o755) // the unit has a /tmp of its own
	s.ip("director", "addr del "+vip+"/32 dev eth0")
	s.ip("rs1", "addr add "+second+"/24 dev eth0")
	text := "virtual = " + vip + ":80\n    real = " + real1 + ":80 gate\nvirtual = " + second + ":80\n    real = " + real1 + ":80 gate\n"
	if err := os.WriteFile(configFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "../../packaging/"+unit, "/lib/systemd/system/"+unit, 0o644)
	has := func() string {
		var list []string
		out := s.Output("director", "ip", "-o", "address", "show", "dev", "eth0")
		for _, addr := range []string{vip, second} {
			if strings.Contains(out, " "+addr+"/") {
				list = append(list, addr)
			}
		}
		return strings.Join(list, " ")
	}
	expect := func(when, want string) {
		t.Helper()
		if got := has(); got != want {
			state, _ := os.ReadFile("/run/systemd.log")
			t.Errorf("%s: the director has %q, want %q\n%s", when, got, want, state)
		}
	}
	m := s.boot(unit)
	expect("a real server answers for one", vip)
	if out, _ := m.run("systemctl", "show", "-p", "StatusErrno,ActiveState,SubState", unit); !strings.Contains(out, "SubState=running") {
		t.Errorf("while it waits: %s", out)
	}
	m.must("systemctl", "stop", unit)
	expect("a stop while it waits", "")

	m.must("systemctl", "start", unit)
	expect("it waits again", vip)
	s.ip("rs1", "addr del "+second+"/24 dev eth0")
	await(t, "the second address", func() bool { return has() == vip+" "+second })
	await(t, "the end of the process", func() bool {
		out, _ := m.run("systemctl", "show", "-p", "SubState", unit)
		return strings.Contains(out, "SubState=exited")
	})
	m.must("systemctl", "stop", unit)
	expect("a stop afterwards", "")
}
