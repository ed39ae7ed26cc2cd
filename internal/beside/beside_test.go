package beside

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A fakeKernel is a Memory that may be unreadable, or refuse to start a daemon.
type fakeKernel struct {
	*ipvs.Memory
	mu                  sync.Mutex
	unreadable, refuses error
}

// set changes a fault.
func (f *fakeKernel) set(fault *error, to error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*fault = to
}

func (f *fakeKernel) fault(of *error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *of
}

func (f *fakeKernel) SyncDaemons() ([]ipvs.SyncDaemon, error) {
	if err := f.fault(&f.unreadable); err != nil {
		return nil, err
	}
	return f.Memory.SyncDaemons()
}

func (f *fakeKernel) Timeouts() (ipvs.Timeouts, error) {
	if err := f.fault(&f.unreadable); err != nil {
		return ipvs.Timeouts{}, err
	}
	return f.Memory.Timeouts()
}

func (f *fakeKernel) StartSync(d ipvs.SyncDaemon) error {
	if err := f.fault(&f.refuses); err != nil {
		return err
	}
	return f.Memory.StartSync(d)
}

// A stage is a Keeper with its surroundings.
type stage struct {
	t      *testing.T
	kernel *fakeKernel
	kept   []ipvs.SyncDaemon // what Remember has got
	k      *Keeper
	stop   func()

	mu    sync.Mutex // for the Keeper's goroutine
	other string
	lines []string
}

func newStage(t *testing.T) *stage {
	return &stage{t: t, kernel: &fakeKernel{Memory: ipvs.NewMemory()}}
}

// start begins a daemon's life: a Keeper with what an earlier one has remembered.
func (s *stage) start(cfg string) {
	s.k = New(Options{
		Kernel: s.kernel, Ours: s.kept,
		Remember: func(list []ipvs.SyncDaemon) error { s.kept = list; return nil },
		Other: func() (other string) {
			s.locked(func() { other = s.other })
			return other
		},
		Log: func(format string, args ...any) {
			s.locked(func() { s.lines = append(s.lines, fmt.Sprintf(format, args...)) })
		},
	})
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop = stop
	go s.k.Run(ctx)
	s.use(cfg)
}

// locked changes or reads what the Keeper's goroutine uses, too.
func (s *stage) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stage) use(text string) {
	s.t.Helper()
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.k.Use(cfg)
	synctest.Wait()
}

// end ends the daemon's life.
func (s *stage) end(stay bool) {
	s.stop()
	s.k.Leave(stay)
}

func (s *stage) drift() {
	time.Sleep(6 * time.Second)
	synctest.Wait()
}

// is compares what runs, and what was logged since.
func (s *stage) is(what string, running, lines []string) {
	s.t.Helper()
	daemons, err := s.kernel.Memory.SyncDaemons()
	if err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, d := range daemons {
		got = append(got, fmt.Sprint(d.Role, " ", d.Device, " ", d.ID))
	}
	if diff := cmp.Diff(running, got); diff != "" {
		s.t.Errorf("%s: running (-want +got):\n%s", what, diff)
	}
	if diff := cmp.Diff(lines, s.lines); diff != "" {
		s.t.Errorf("%s: log (-want +got):\n%s", what, diff)
	}
	s.locked(func() { s.lines = nil })
}

const both = "syncdaemon = both eth0 id 7\ndriftcheck = 5\n"

var (
	bothRun     = []string{"master eth0 7", "backup eth0 7"}
	bothStarted = []string{
		"Started the master sync daemon: ipvsadm --start-daemon master --mcast-interface eth0 --syncid 7",
		"Started the backup sync daemon: ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 7",
	}
	bothStopped = []string{
		"Stopped the master sync daemon: ipvsadm --stop-daemon master",
		"Stopped the backup sync daemon: ipvsadm --stop-daemon backup",
	}
)

func play(t *testing.T, name string, f func(s *stage)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(newStage(t)) })
	})
}

func TestKeeper(t *testing.T) {
	play(t, "started, kept, stopped", func(s *stage) {
		s.start(both)
		s.is("start", bothRun, bothStarted)
		s.drift()
		s.is("at rest", bothRun, nil)
		_ = s.kernel.StopSync(ipvs.SyncBackup)
		s.drift()
		s.is("stopped by hand", bothRun, []string{
			"Started the backup sync daemon, which has ended or was stopped by another program: ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 7",
		})
		s.end(false)
		s.is("stop", nil, bothStopped)
	})
	play(t, "a restart and cleanstop = no keep it, the next stop ends it", func(s *stage) {
		s.start(both)
		s.is("start", bothRun, bothStarted)
		s.end(true)
		s.is("left", bothRun, nil)
		s.start(both)
		s.is("started again", bothRun, nil)
		s.end(false)
		s.is("stop", nil, bothStopped)
	})
	play(t, "one that was there stays", func(s *stage) {
		_ = s.kernel.StartSync(ipvs.SyncDaemon{Role: ipvs.SyncBackup, Device: "eth0", ID: 7})
		s.start(both)
		s.is("start", bothRun, bothStarted[:1])
		s.end(false)
		s.is("stop", []string{"backup eth0 7"}, bothStopped[:1])
	})
	play(t, "a reload changes ours, and ends it without the directive", func(s *stage) {
		s.start(both)
		s.is("start", bothRun, bothStarted)
		s.use("syncdaemon = both eth0 id 8\n")
		s.is("another ID", []string{"master eth0 8", "backup eth0 8"}, []string{
			bothStopped[0], strings.Replace(bothStarted[0], "id 7", "id 8", 1),
			bothStopped[1], strings.Replace(bothStarted[1], "id 7", "id 8", 1),
		})
		s.use("")
		s.is("no directive", nil, bothStopped)
		s.end(false)
		s.is("stop", nil, nil)
	})
	play(t, "without the directive a foreign one is of no interest", func(s *stage) {
		_ = s.kernel.StartSync(ipvs.SyncDaemon{Role: ipvs.SyncMaster, Device: "eth9"})
		s.start("")
		s.end(false)
		s.is("stop", []string{"master eth9 0"}, nil)
	})
}

func TestKeeperLeavesOthers(t *testing.T) {
	play(t, "another program's with other parameters", func(s *stage) {
		_ = s.kernel.StartSync(ipvs.SyncDaemon{Role: ipvs.SyncMaster, Device: "eth1", ID: 3})
		s.start(both)
		const warning = "Warning: the master sync daemon is not ours and is left as it is: it was started by another program " +
			"(--start-daemon master --mcast-interface eth1 --syncid 3 --sync-maxlen 1472), and syncdaemon differs: ipvsadm --stop-daemon master"
		s.is("start", []string{"master eth1 3", "backup eth0 7"}, []string{bothStarted[1], warning})
		s.drift()
		s.is("once", []string{"master eth1 3", "backup eth0 7"}, nil)
		if len(s.k.Faults()) != 1 {
			t.Errorf("faults: %v", s.k.Faults())
		}
		_ = s.kernel.StopSync(ipvs.SyncMaster)
		s.drift()
		s.is("it has ended", bothRun, bothStarted[:1])
		s.end(false)
		s.is("stop", nil, bothStopped)
	})
	play(t, "ours, replaced by another program", func(s *stage) {
		s.start(both)
		s.is("start", bothRun, bothStarted)
		_ = s.kernel.StopSync(ipvs.SyncMaster)
		_ = s.kernel.StartSync(ipvs.SyncDaemon{Role: ipvs.SyncMaster, Device: "eth1"})
		s.drift()
		s.locked(func() { s.lines = nil })
		s.end(false)
		s.is("stop", []string{"master eth1 0"}, bothStopped[1:])
	})
	play(t, "keepalived", func(s *stage) {
		s.locked(func() { s.other = "keepalived (lvs_sync_daemon in /etc/keepalived/keepalived.conf)" })
		_ = s.kernel.StartSync(ipvs.SyncDaemon{Role: ipvs.SyncBackup, Device: "eth0", ID: 7})
		s.start(both)
		s.is("start", []string{"backup eth0 7"}, []string{
			"Warning: syncdaemon is left to keepalived (lvs_sync_daemon in /etc/keepalived/keepalived.conf): only one program may steer it: remove it there, or syncdaemon here",
		})
		s.drift()
		s.end(false)
		s.is("stop", []string{"backup eth0 7"}, nil)
	})
}

func TestKeeperFaults(t *testing.T) {
	play(t, "unreadable", func(s *stage) {
		s.start(both)
		s.is("start", bothRun, bothStarted)
		s.kernel.set(&s.kernel.unreadable, errors.New("no answer"))
		s.use("syncdaemon = both eth0 id 8\nipvstimeouts = 1 2 3\n")
		s.is("unknown is as before", bothRun, []string{
			"Warning: the sync daemons are not known, nothing is changed: no answer",
			"Warning: the timeouts of connections are not known, nothing is changed: no answer",
		})
		s.end(false)
		s.is("stop", bothRun, []string{"Warning: the sync daemon is left as it is: no answer"})
		s.kernel.set(&s.kernel.unreadable, nil)
		s.start("")
		s.is("the next one still knows that they are ours", nil, bothStopped)
		s.end(false)
	})
	play(t, "refused, tried again without driftcheck too", func(s *stage) {
		s.kernel.set(&s.kernel.refuses, errors.New("there is no device eth0"))
		s.start("syncdaemon = master eth0 id 7\ndriftcheck = 0\n")
		s.is("start", nil, []string{"Warning: the master sync daemon is not as wanted: there is no device eth0"})
		s.drift()
		s.is("once", nil, nil)
		s.kernel.set(&s.kernel.refuses, nil)
		s.drift()
		s.is("the device is there", []string{"master eth0 7"}, bothStarted[:1])
		s.end(false)
		s.is("stop", nil, bothStopped[:1])
	})
	play(t, "one that was remembered and never started", func(s *stage) {
		s.kept = []ipvs.SyncDaemon{{Role: ipvs.SyncMaster, Device: "eth0", ID: 7}}
		s.start("")
		if len(s.kept) > 0 {
			t.Errorf("still remembered: %v", s.kept)
		}
		s.end(false)
		s.is("stop", nil, nil)
	})
}

func TestKeeperTimeouts(t *testing.T) {
	play(t, "set, kept, and left at the end", func(s *stage) {
		are := func(want string) {
			s.t.Helper()
			if got, err := s.kernel.Memory.Timeouts(); err != nil || got.String() != want {
				s.t.Errorf("timeouts are %s, want %s", got, want)
			}
		}
		s.start("ipvstimeouts = 60 0 10\n")
		are("--set 60 120 10")
		s.is("start", nil, []string{"Set the timeouts of connections: ipvsadm --set 60 0 10"})
		_ = s.kernel.SetTimeouts(ipvs.Timeouts{TCP: time.Hour, TCPFin: time.Minute})
		s.drift()
		are("--set 60 60 10")
		s.is("changed by hand", nil, []string{"Set the timeouts of connections, which were changed by another program (--set 3600 60 10): ipvsadm --set 60 0 10"})
		if r := s.k.Report(); r == nil || r.Timeouts.TCP != 60 || r.Timeouts.TCPFin != 60 {
			s.t.Errorf("reported: %+v", r)
		}
		s.use("")
		s.drift()
		s.end(false)
		are("--set 60 60 10")
		s.is("end", nil, nil)
	})
}

func TestReport(t *testing.T) {
	play(t, "states", func(s *stage) {
		_ = s.kernel.StartSync(ipvs.SyncDaemon{Role: ipvs.SyncBackup, Device: "eth1"})
		s.start(both)
		var got []string
		for _, d := range s.k.Report().SyncDaemons {
			got = append(got, fmt.Sprint(d.Role, d.Device, d.ID, d.Running, d.Wanted, d.AsWanted, d.Ours, d.Group, d.Port))
		}
		want := []string{"mastereth07 true true true true224.0.0.818848", "backupeth10 true true false false224.0.0.818848"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s.end(false)
	})
}

// TestPlan says what a start does, and does nothing.
func TestPlan(t *testing.T) {
	kernel := ipvs.NewMemory()
	cfg, err := conf.Parse("t.cf", []byte(both+"ipvstimeouts = 0 0 60\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--start-daemon master --mcast-interface eth0 --syncid 7", "--start-daemon backup --mcast-interface eth0 --syncid 7", "--set 0 0 60",
	}
	for other, want := range map[string][]string{"": want, "keepalived": want[2:]} {
		lines, err := Plan(kernel, cfg, nil, other)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("other is %q (-want +got):\n%s", other, diff)
		}
	}
	if running, _ := kernel.SyncDaemons(); len(running) > 0 {
		t.Errorf("a plan has started %v", running)
	}
}

func TestKeepalived(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("sync.conf", "global_defs {\n  lvs_sync_daemon eth0 VI_1 id 7\n}\n")
	for text, want := range map[string]string{
		"global_defs {\n    lvs_sync_daemon eth0 VI_1\n}\n": "keepalived (lvs_sync_daemon in " + filepath.Join(dir, "k.conf") + ")",
		"global_defs { lvs_sync_daemon eth0 VI_1 }\n":       "keepalived (lvs_sync_daemon in " + filepath.Join(dir, "k.conf") + ")",
		"@another-host lvs_sync_daemon eth0 VI_1\n":         "",
		"# lvs_sync_daemon eth0 VI_1\n":                     "",
		"!lvs_sync_daemon eth0 VI_1\n":                      "",
		"include s*.conf\n":                                 "keepalived (lvs_sync_daemon in " + filepath.Join(dir, "sync.conf") + ")",
		"include k.conf\n":                                  "",
	} {
		if got := Keepalived(write("k.conf", text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := Keepalived(filepath.Join(dir, "none")); got != "" {
		t.Errorf("no file: %q", got)
	}
}
