package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestManyAddresses has a hundred virtual addresses follow on a kernel: over the start, the death and the
// return of the real server, and the stop, where all are gone before the first virtual service.
// TestLongThousandAddresses has a thousand.
func TestManyAddresses(t *testing.T) {
	t.Parallel()
	manyAddresses(t, 100)
}

func manyAddresses(t *testing.T, many int) {
	t.Helper()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	a := &announced{cluster: newCluster(t, lab.DR, 1, ""), log: filepath.Join(t.TempDir(), "calls")}
	script := filepath.Join(t.TempDir(), "announce")
	text := "#!/bin/sh\necho \"$1 $# $(ipvsadm -Sn | grep -c '^-A') $(ip -o address show dev lvs0 | grep -c /32)\" >>" + a.log + "\n"
	a.must(os.WriteFile(script, []byte(text), 0o755))
	var b strings.Builder
	fmt.Fprintf(&b, "checkinterval=1\nannouncedelay=0\nvipcommand=%s\nvipdevice=lvs0\n", script)
	for i := range many {
		fmt.Fprintf(&b, "virtual=10.80.%d.%d:80\n    real=RS1:80 gate\n    checktype=connect\n", i/200, i%200+1)
	}
	a.write(b.String())
	on := func() (n int) {
		_ = a.In("director", func() error { // without a process: the checks need the CPU
			link, err := netlink.LinkByName("lvs0")
			if err != nil { // it is not there at first
				return err
			}
			addrs, err := netlink.AddrList(link, netlink.FAMILY_V4)
			n = len(addrs)
			return err
		})
		return n
	}
	// last is the last call of the command.
	last := func() string {
		calls := a.calls()
		if len(calls) == 0 {
			return ""
		}
		return calls[len(calls)-1]
	}
	up, down := fmt.Sprintf("up %d %d %d", many+1, many, many), fmt.Sprintf("down %d %d 0", many+1, many)
	follow := func(what, call string, n int) {
		t.Helper()
		began := time.Now()
		if !eventually.Holds(func() bool { return on() == n && last() == call }) {
			log, _ := os.ReadFile(filepath.Dir(a.file) + "/log")
			t.Fatalf("%s: %d addresses on the device, want %d; the last call is %q, want %q\n%s", what, on(), n, last(), call, log)
		}
		t.Logf("%s: %d addresses on the device after %v", what, n, time.Since(began).Round(time.Millisecond))
	}
	a.start()
	follow("the start", up, many)
	a.Web("rs1").Stop()
	follow("the real server is dead", down, 0)
	a.must(a.Web("rs1").Start())
	follow("it is back", up, many)
	began := time.Now()
	a.Output("director", a.binary, a.file, "stop")
	t.Logf("the stop took %v", time.Since(began).Round(time.Millisecond))
	follow("the stop", down, 0)
	if table := a.Table(); table != "" {
		t.Errorf("the stop leaves a table:\n%.300s", table)
	}
	if log, err := os.ReadFile(filepath.Dir(a.file) + "/log"); err != nil || strings.Contains(string(log), "vipcommand failed") || strings.Contains(string(log), "it is killed") {
		t.Errorf("the log: %v\n%.3000s", err, log)
	}
}
