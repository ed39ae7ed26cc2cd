package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestDoctorOutside: doctor has what the running daemon depends on and is wrong, also
// that its socket is gone, and nothing of a daemon that does not run.
func TestDoctorOutside(t *testing.T) {
	dir := t.TempDir()
	dirs, err := daemon.FindDirectories(dir, dir, daemon.Wanted{Run: dir})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{Instance: daemon.Instance{Name: "ldirectord", Path: filepath.Join(dir, "ldirectord.cf"), Found: true, Dirs: dirs}}
	write(t, s.Path, "checkinterval=5\n")
	cfg := &conf.Config{Path: s.Path, Scheduling: conf.Scheduling{CheckInterval: time.Hour, CheckRate: 1}}
	if found := s.outsideFindings(cfg); len(found) > 0 {
		t.Errorf("without a daemon: %v", found)
	}

	claim, err := state.Dir(dir).Claim(state.Record{File: state.Canonical(s.Path), PIDFile: s.PIDFiles()[0]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	d := director.New(director.Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}})
	ended := make(chan error, 1)
	ctx := t.Context()
	go func() { ended <- d.Run(ctx, cfg) }()
	t.Cleanup(func() { <-ended })
	faults := []report.Fault{
		{What: "statuslisten 192.0.2.1:9180", Error: "bind: cannot assign requested address", Since: time.Now()},
		{What: s.Path + " is not in force", Error: "no such directory", Since: time.Now()},
	}
	server := status.New(status.Options{
		Director: d, Log: t.Logf, Socket: s.Socket(), Overrides: s.OverridesFile(), Outside: func() []report.Fault { return faults },
	})
	defer server.Close()
	server.Use(cfg)
	found := s.outsideFindings(cfg)
	if len(found) != len(faults) {
		t.Fatalf("%d findings, want %d: %v", len(found), len(faults), found)
	}
	for i, f := range found {
		if f.What != faults[i].String() || f.Cure == "" {
			t.Errorf("finding %q, want %q with a cure", f, faults[i])
		}
	}

	if err := os.Remove(s.Socket()); err != nil {
		t.Fatal(err)
	}
	found = s.outsideFindings(cfg)
	if len(found) != 1 || !strings.Contains(found[0].What, s.Socket()) {
		t.Errorf("with the socket removed: %v, want a finding that names it", found)
	}
}
