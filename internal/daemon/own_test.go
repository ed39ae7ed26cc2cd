package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// TestShareWithoutLock reloads a configuration of which another daemon steers a part,
// while the lock for that cannot be taken: that part is left to the other one.
func TestShareWithoutLock(t *testing.T) {
	home, dir := t.TempDir(), state.Dir(t.TempDir())
	parse := func(text string) *conf.Config {
		t.Helper()
		cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	theirs := parse("virtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n")
	both := parse("virtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\nvirtual=10.0.0.2:80\n\treal=10.1.0.1:80 masq\n")
	claim := func(name string, services []state.Service) *state.Claim {
		t.Helper()
		c, err := dir.Claim(state.Record{File: filepath.Join(home, name), Services: services}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Release)
		return c
	}
	claim("theirs.cf", director.Services(theirs))
	var log strings.Builder
	o := &ownership{
		claim: claim("ours.cf", nil), memory: state.Memory(home), file: filepath.Join(home, "ours.cf"),
		others: func() []state.Daemon { return nil }, log: func(format string, args ...any) { fmt.Fprintf(&log, format+"\n", args...) },
	}
	starts := filepath.Join(string(dir), "starts")
	if err := errors.Join(os.Remove(starts), os.Mkdir(starts, 0o700)); err != nil {
		t.Fatal(err)
	}
	want := []report.LeftOut{{Change: "virtual service 10.0.0.1:80", Reason: fmt.Sprintf("process %d steers it for %s, until that lets go", os.Getpid(), filepath.Join(home, "theirs.cf"))}}
	planned, contests := o.part(both)
	if diff := cmp.Diff(want, leftToOthers(contests)); diff != "" || len(planned.Virtuals) != 1 {
		t.Errorf("a plan has %d virtual services; what it leaves out (-want +got):\n%s", len(planned.Virtuals), diff)
	}
	part := o.share(both, nil)
	faults := []report.Fault{{What: "virtual service 10.0.0.1:80 is left to another daemon", Error: want[0].Reason, Logged: true}}
	if diff := cmp.Diff(faults, o.mend()); diff != "" {
		t.Errorf("the faults that are shown (-want +got):\n%s", diff)
	}
	if o.share(theirs, nil); len(o.mend()) != 1 {
		t.Errorf("%d faults while it goes on, want 1", len(o.mend()))
	}
	if len(part.Virtuals) != 1 || part.Virtuals[0].ID() != "tcp:10.0.0.2:80" {
		t.Errorf("%d virtual services are ours, want only 10.0.0.2:80; the log:\n%s", len(part.Virtuals), log.String())
	}
}

// TestUnderAnotherNameOfItsDirectory has a daemon whose directory is the usual one under another
// name, as with RuntimeDirectory=ldirectord: /run/ldirectord, where /var/run is a symbolic link.
// It is no other daemon for itself.
func TestUnderAnotherNameOfItsDirectory(t *testing.T) {
	home, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(home, link); err != nil {
		t.Fatal(err)
	}
	cfg, err := conf.Parse("t.cf", []byte("virtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "t.cf")
	claim, err := state.Dir(home).Claim(state.Record{File: file, Services: director.Services(cfg)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(claim.Release)
	i := &Instance{Dirs: Directories{Run: home, PIDs: home, usualRun: link, usualPIDs: link}}
	var log strings.Builder
	o := &ownership{
		claim: claim, memory: state.Memory(home), file: file, others: i.others,
		log: func(format string, args ...any) { fmt.Fprintf(&log, format+"\n", args...) },
	}
	if part := o.share(cfg, nil); len(part.Virtuals) != 1 || log.Len() > 0 {
		t.Errorf("%d virtual services are ours after a reload, want 1; the log:\n%s", len(part.Virtuals), log.String())
	}
	if n := len(i.locked()); n != 1 {
		t.Errorf("%d daemons live, want 1", n)
	}
}
