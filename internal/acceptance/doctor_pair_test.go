package acceptance

import (
	"os"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestDoctorOfAPair has the doctor examine both directors of a pair whose address keepalived moves: 0 on
// both while one has the address, 2 on both while both have it or none, and never a cure that takes
// the address from the right one or gives it to both.
func TestDoctorOfAPair(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	const file = "/etc/keepalived/keepalived.conf"
	c := newPair(t, pairing{name: "gate", mode: lab.DR}, memories[3])
	c.must(os.MkdirAll("/etc/keepalived", 0o755))
	c.must(os.WriteFile(file, []byte("vrrp_instance a {\n virtual_ipaddress {\n  "+lab.VIP+"\n }\n}\n"), 0o644))
	t.Cleanup(func() { _ = os.Remove(file) })
	expect := func(when string, status int, active, standby string) {
		t.Helper()
		for director, want := range map[string]string{"director": active, "director2": standby} {
			cmd := c.Command(director, c.binary, c.words(director, "doctor")...)
			out, _ := cmd.Output()
			got := string(out)
			if cmd.ProcessState.ExitCode() != status || !strings.Contains(got, want) || strings.Contains(got, "ip address") || strings.Contains(got, "realserver up") {
				t.Errorf("%s, on %s: exit status %d, want %d with %q and no cure of the address:\n%s", when, director, cmd.ProcessState.ExitCode(), status, want, got)
			}
		}
	}
	const vip = " the virtual address " + lab.VIP
	expect("the first is active", 0, "this director is active: it has"+vip, "this director is standby: ")
	c.Output("director2", "ip", "address", "add", lab.VIP+"/32", "dev", "eth0")
	expect("both have it", 2, "answers ARP for"+vip+", too", "answers ARP for"+vip+", too")
	c.Output("director", "ip", "address", "delete", lab.VIP+"/32", "dev", "eth0")
	expect("the second is active", 0, "this director is standby: ", "this director is active: it has"+vip)
	c.Output("director2", "ip", "address", "delete", lab.VIP+"/32", "dev", "eth0")
	expect("none has it", 2, "no director has"+vip, "no director has"+vip)
}
