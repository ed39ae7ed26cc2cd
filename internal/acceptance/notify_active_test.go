package acceptance

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestNotifyActiveFollowsTheAddress has show tell, with notify = active, whether this director mails:
// while the address is elsewhere, when it comes, and when it goes.
func TestNotifyActiveFollowsTheAddress(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 1, "notify=active\ncheckinterval=1\nvirtual=VIP:80\n    real=RS1:80 gate\n    checktype=connect\n")
	c.start()
	says := func(when, want string) {
		t.Helper()
		await(t, when, func() bool {
			return strings.Contains(c.Output("director", c.binary, c.file, "show"), want+": mails and hooks for "+lab.VIP+" are ")
		})
	}
	says("the address is on no device", "standby")
	c.Output("director", "ip", "address", "add", lab.VIP+"/32", "dev", "eth0")
	says("the address has come", "active")
	c.Output("director", "ip", "address", "delete", lab.VIP+"/32", "dev", "eth0")
	says("the address has gone", "standby")
	c.Output("director", c.binary, c.file, "stop")
}
