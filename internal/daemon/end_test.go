package daemon

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

// An open table stays open.
type open struct{ ipvs.Table }

// Close implements ipvs.Table.
func (open) Close() error { return nil }

// TestCleanAfter cleans up after a daemon that was killed: what was its own leaves the
// table, whatever the file says by now, except with cleanstop=no; all else stays.
func TestCleanAfter(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.cf")
	write(t, file, "logfile=\""+dir+"/log\"\nmonitorlog=none\n")
	service := func(addr string, clean bool) state.Service {
		return state.Service{Key: ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort(addr)), ID: "tcp:" + addr, CleanStop: clean}
	}
	ours, stays, gone, foreign := service("10.0.0.1:80", true), service("10.0.0.2:80", false), service("10.0.0.3:80", true), service("10.0.0.4:80", true)
	table := ipvs.NewMemory()
	for _, s := range []state.Service{ours, stays, foreign} {
		if err := table.Apply(ipvs.Change{Op: ipvs.AddService, Service: ipvs.Service{Key: s.Key, Scheduler: "rr"}}); err != nil {
			t.Fatal(err)
		}
	}
	p := starting(t, dir, file)
	p.OpenTable = func(context.Context) (ipvs.Table, error) { return open{table}, nil }
	if err := p.memory().Remember(file, []state.Service{ours, stays, gone}); err != nil {
		t.Fatal(err)
	}
	// A record without a lock is the original's; its services are those of its file.
	if err := p.cleanAfter(state.Daemon{Record: state.Record{File: file}}); err != nil {
		t.Fatal(err)
	}
	p.Log.Close()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Service.Addr.String())
	}
	if diff := cmp.Diff([]string{"10.0.0.2", "10.0.0.4"}, left); diff != "" {
		t.Errorf("left in the table (-want +got):\n%s", diff)
	}
	log, err := os.ReadFile(dir + "/log")
	if err != nil || strings.Count(string(log), "Purged virtual server (stop): 10.0.0.1:80") != 1 || strings.Count(string(log), "Purged") != 1 {
		t.Errorf("the log has %q, %v", log, err)
	}
}

// TestControlGroups finds the unit of a process by the text of /proc/PID/cgroup.
func TestControlGroups(t *testing.T) {
	for text, want := range map[string]string{
		"0::/system.slice/ldirectord.service\n":         "/system.slice/ldirectord.service",
		"0::/system.slice/ldirectord.service/control\n": "/system.slice/ldirectord.service",
		"0::/user.slice/user-0.slice/session-3.scope\n": "",
		"0::/\n": "",
		"12:cpu:/x.service\n1:name=systemd:/system.slice/cron.service\n0::/\n":      "/system.slice/cron.service",
		"0::/user.slice/user-7.slice/user@7.service/app.slice/ldirectord.service\n": "/user.slice/user-7.slice/user@7.service/app.slice/ldirectord.service",
		"":           "",
		"nonsense\n": "",
	} {
		if got := unitGroup(systemdGroup(text)); got != want {
			t.Errorf("%q is of %q, want %q", text, got, want)
		}
	}
	for _, test := range []struct {
		group, outer string
		want         bool
	}{
		{"/a.service", "/a.service", true},
		{"/a.service/control", "/a.service", true},
		{"/a.service2", "/a.service", false},
		{"", "/a.service", false},
		{"/b.service", "/a.service", false},
	} {
		if got := within(test.group, test.outer); got != test.want {
			t.Errorf("%q within %q: %t, want %t", test.group, test.outer, got, test.want)
		}
	}
}
