package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
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
	s := &session{dirs: directories{pids: dir, run: dir, usualPids: dir, usualRun: dir, state: dir}, path: filepath.Join(dir, "ldirectord.cf")}
	write(t, s.path, "checkinterval=5\n")
	s.foundAt = s.path
	cfg := &conf.Config{Path: s.path, Scheduling: conf.Scheduling{CheckInterval: time.Hour, CheckRate: 1}}
	if found := s.outsideFindings(cfg); len(found) > 0 {
		t.Errorf("without a daemon: %v", found)
	}

	claim, err := s.dir().Claim(state.Record{File: state.Canonical(s.path), PIDFile: string(s.pidFile())}, nil)
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
		{What: s.path + " is not in force", Error: "no such directory", Since: time.Now()},
	}
	server := status.New(status.Options{
		Director: d, Log: t.Logf, Socket: s.socket(), Overrides: s.overridesFile(), Outside: func() []report.Fault { return faults },
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

	if err := os.Remove(s.socket()); err != nil {
		t.Fatal(err)
	}
	found = s.outsideFindings(cfg)
	if len(found) != 1 || !strings.Contains(found[0].What, s.socket()) {
		t.Errorf("with the socket removed: %v, want a finding that names it", found)
	}
}
