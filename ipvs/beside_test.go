package ipvs

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// A besideRule is behaviour of everything with a state beside its table: steps one after
// another on a fresh state, the answer to each, and the state afterwards.
type besideRule struct {
	name  string
	steps []besideStep
	state []string // commands of ipvsadm that make it
}

type besideStep struct {
	do   func(Beside) error
	is   error // nil: it is done
	text string
}

func startSync(d SyncDaemon) besideStep {
	return besideStep{do: func(b Beside) error { return b.StartSync(d) }}
}

func stopSync(r SyncRole) besideStep {
	return besideStep{do: func(b Beside) error { return b.StopSync(r) }}
}

func setTimeouts(tcp, fin, udp time.Duration) besideStep {
	return besideStep{do: func(b Beside) error { return b.SetTimeouts(Timeouts{tcp, fin, udp}) }}
}

func (s besideStep) fails(is error, text string) besideStep {
	s.is, s.text = is, text
	return s
}

const syncDevice = "sync0"

var (
	master   = SyncDaemon{Role: SyncMaster, Device: syncDevice, ID: 7}
	backup   = SyncDaemon{Role: SyncBackup, Device: syncDevice, ID: 7}
	byGroup  = SyncDaemon{Role: SyncMaster, Device: syncDevice, ID: 255, Group: netip.MustParseAddr("239.1.2.3"), Port: 9000, MaxLen: 1024}
	byGroup6 = SyncDaemon{Role: SyncBackup, Device: syncDevice, Group: netip.MustParseAddr("ff02::1:81"), MaxLen: 8000}
)

const initial = "--set 900 120 300"

var besideRules = []besideRule{
	{name: "nothing", state: []string{initial}},
	{
		name:  "a daemon of each role",
		steps: []besideStep{startSync(backup), startSync(master)},
		state: []string{
			"--start-daemon master --mcast-interface sync0 --syncid 7 --sync-maxlen 1472",
			"--start-daemon backup --mcast-interface sync0 --syncid 7 --sync-maxlen 1472", initial,
		},
	},
	{
		name:  "group, port and length",
		steps: []besideStep{startSync(byGroup), startSync(byGroup6)},
		state: []string{
			"--start-daemon master --mcast-interface sync0 --syncid 255 --sync-maxlen 1024 --mcast-group 239.1.2.3 --mcast-port 9000",
			"--start-daemon backup --mcast-interface sync0 --syncid 0 --sync-maxlen 8000 --mcast-group ff02::1:81", initial,
		},
	},
	{
		name: "one of a role",
		steps: []besideStep{
			startSync(master),
			startSync(byGroup).fails(fs.ErrExist, byGroup.String()+": a sync daemon of that role runs already"),
			stopSync(SyncMaster), startSync(byGroup),
		},
		state: []string{
			"--start-daemon master --mcast-interface sync0 --syncid 255 --sync-maxlen 1024 --mcast-group 239.1.2.3 --mcast-port 9000", initial,
		},
	},
	{
		name: "stopped",
		steps: []besideStep{
			stopSync(SyncBackup).fails(fs.ErrNotExist, "--stop-daemon backup: no sync daemon of that role runs"),
			startSync(backup), startSync(master), stopSync(SyncBackup),
			stopSync(SyncBackup).fails(fs.ErrNotExist, ""),
		},
		state: []string{"--start-daemon master --mcast-interface sync0 --syncid 7 --sync-maxlen 1472", initial},
	},
	{
		name: "refused",
		steps: []besideStep{
			startSync(SyncDaemon{Role: 3, Device: syncDevice}).fails(errAny, ""),
			startSync(SyncDaemon{Role: SyncMaster}).fails(errAny, "--start-daemon master --mcast-interface  --syncid 0: a device has a name of 1 to 15 characters"),
			startSync(SyncDaemon{Role: SyncMaster, Device: "longer-than-all0"}).fails(errAny, ""),
			startSync(SyncDaemon{Role: SyncMaster, Device: syncDevice, Group: netip.MustParseAddr("10.0.0.1")}).fails(errAny,
				"--start-daemon master --mcast-interface sync0 --syncid 0 --mcast-group 10.0.0.1: 10.0.0.1 is no multicast address"),
			startSync(SyncDaemon{Role: SyncMaster, Device: syncDevice, MaxLen: 100}).fails(errAny, ""),
			setTimeouts(-1, 0, 0).fails(errAny, ""),
			setTimeouts((MaxTimeout+1)*time.Second, 0, 0).fails(errAny, ""),
			setTimeouts(time.Millisecond, 0, 0).fails(errAny, "--set 0 0 0: a timeout is whole seconds, up to 2678400"),
		},
		state: []string{initial},
	},
	{
		name:  "timeouts, 0 leaves one",
		steps: []besideStep{setTimeouts(time.Hour, 30*time.Second, 10*time.Second), setTimeouts(0, time.Minute, 0)},
		state: []string{"--set 3600 60 10"},
	},
}

// testBeside does a rule's steps and compares the state then.
func testBeside(t *testing.T, b Beside, r besideRule) {
	t.Helper()
	for i, s := range r.steps {
		switch err := s.do(b); {
		case s.is == nil && err != nil:
			t.Errorf("step %d: %v", i, err)
		case s.is != nil && err == nil:
			t.Errorf("step %d was done, and should be refused", i)
		case s.is != nil && !errors.Is(s.is, errAny) && !errors.Is(err, s.is):
			t.Errorf("step %d: got error %q, which is not %q", i, err, s.is)
		case s.text != "" && err.Error() != s.text:
			t.Errorf("step %d: error (-want +got):\n%s", i, cmp.Diff(s.text, err.Error()))
		}
	}
	if diff := cmp.Diff(r.state, besideLines(t, b)); diff != "" {
		t.Errorf("state afterwards (-want +got):\n%s", diff)
	}
}

func besideLines(t *testing.T, b Beside) (lines []string) {
	t.Helper()
	daemons, err := b.SyncDaemons()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range daemons {
		lines = append(lines, d.String())
	}
	timeouts, err := b.Timeouts()
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, timeouts.String())
}

func TestMemoryBeside(t *testing.T) {
	for _, r := range besideRules {
		t.Run(r.name, func(t *testing.T) { testBeside(t, NewMemory(), r) })
	}
	m := NewMemory()
	m.Close()
	_, err1 := m.SyncDaemons()
	_, err2 := m.Timeouts()
	for _, err := range []error{err1, err2, m.StartSync(master), m.StopSync(SyncMaster), m.SetTimeouts(Timeouts{})} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: got %v, want fs.ErrClosed", err)
		}
	}
}

// TestKernelBeside does to the real kernel what TestMemoryBeside does to memory, and has
// the state read by ipvsadm.
func TestKernelBeside(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	run(t, "modprobe", "ip_vs")
	run(t, "ip", "link", "add", syncDevice, "type", "dummy")
	run(t, "ip", "link", "set", syncDevice, "up")
	run(t, "ip", "address", "add", "10.9.0.1/24", "dev", syncDevice)
	run(t, "ip", "address", "add", "fd00:9::1/64", "dev", syncDevice, "nodad")
	k := openAsIs(t)
	for _, r := range besideRules {
		t.Run(r.name, func(t *testing.T) {
			for _, role := range SyncRoles {
				if err := k.StopSync(role); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
			}
			run(t, "ipvsadm", "--set", "900", "120", "300")
			testBeside(t, k, r)
			timeouts, err := k.Timeouts()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := run(t, "ipvsadm", "-L", "--timeout"), strings.TrimPrefix(timeouts.String(), "--set "); !strings.Contains(got, want) {
				t.Errorf("ipvsadm reads the timeouts as %q, and we as %q", got, want)
			}
			daemons, err := k.SyncDaemons()
			if err != nil {
				t.Fatal(err)
			}
			by := run(t, "ipvsadm", "-L", "--daemon")
			for _, d := range daemons {
				if want := d.Role.String() + " sync daemon (mcast=" + d.Device; !strings.Contains(by, want) {
					t.Errorf("ipvsadm lists %q, without %q", by, want)
				}
			}
		})
	}
	t.Run("devices", func(t *testing.T) { testBesideDevices(t, k) })
}

// testBesideDevices is about what memory does not know.
func testBesideDevices(t *testing.T, k *Kernel) {
	t.Helper()
	run(t, "ip", "link", "add", "bare0", "type", "dummy")
	for _, role := range SyncRoles {
		_ = k.StopSync(role)
	}
	for device, want := range map[string]string{
		"none0": "--start-daemon master --mcast-interface none0 --syncid 0: there is no device none0",
		"bare0": "--start-daemon master --mcast-interface bare0 --syncid 0: the device bare0 is down or has no address: ip link set bare0 up",
	} {
		if err := k.StartSync(SyncDaemon{Role: SyncMaster, Device: device}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSyncDaemonFits(t *testing.T) {
	running := master.Effective()
	running.MaxLen = 1472
	for name, test := range map[string]struct {
		change func(*SyncDaemon)
		fits   bool
	}{
		"as it is":                {func(*SyncDaemon) {}, true},
		"the default, written":    {func(d *SyncDaemon) { d.Group, d.Port = SyncGroup, SyncPort }, true},
		"length as it is":         {func(d *SyncDaemon) { d.MaxLen = 1472 }, true},
		"another length":          {func(d *SyncDaemon) { d.MaxLen = 1400 }, false},
		"another ID":              {func(d *SyncDaemon) { d.ID = 8 }, false},
		"another device":          {func(d *SyncDaemon) { d.Device = "eth1" }, false},
		"another group":           {func(d *SyncDaemon) { d.Group = byGroup.Group }, false},
		"another port":            {func(d *SyncDaemon) { d.Port = 1 }, false},
		"the other of both roles": {func(d *SyncDaemon) { d.Role = SyncBackup }, false},
	} {
		d := master
		if test.change(&d); d.Fits(running) != test.fits {
			t.Errorf("%s: Fits is %v", name, !test.fits)
		}
	}
}

// TestParseSyncDaemon reads back what is written.
func TestParseSyncDaemon(t *testing.T) {
	asIs := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	for _, d := range []SyncDaemon{master, backup, byGroup, byGroup6} {
		got := parseSyncDaemon(daemonAttr(d).Serialize()[4:])
		if diff := cmp.Diff(d.Effective(), got, asIs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d, diff)
		}
	}
}
