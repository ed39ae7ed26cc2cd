package cli

import (
	"bytes"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestNotifyActiveIsShown has show, its JSON and the doctor tell for which addresses this director
// mails, and the doctor find nothing wrong with a standby.
func TestNotifyActiveIsShown(t *testing.T) {
	dir := t.TempDir()
	dirs, err := daemon.FindDirectories(dir, dir, daemon.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{Instance: daemon.Instance{Name: "t.cf", Path: filepath.Join(dir, "t.cf"), Found: true, Dirs: dirs}}
	write(t, s.Path, "checkinterval=5\n")
	cfg := &conf.Config{Path: s.Path, Scheduling: conf.Scheduling{CheckInterval: time.Hour, CheckRate: 1}}
	d := director.New(director.Options{Table: ipvs.NewMemory(), Sink: func(event.Event) {}})
	ended := make(chan error, 1)
	ctx := t.Context()
	go func() { ended <- d.Run(ctx, cfg) }()
	t.Cleanup(func() { <-ended })
	since, later := time.Date(2026, 11, 30, 9, 0, 0, 0, time.Local), time.Date(2026, 11, 30, 10, 0, 0, 0, time.Local)
	at := func(addr string, active bool, since time.Time, err string) report.NotifyState {
		return report.NotifyState{Address: netip.MustParseAddr(addr), Active: active, Since: since, Error: err}
	}
	var states atomic.Pointer[[]report.NotifyState]
	states.Store(&[]report.NotifyState{})
	server := status.New(status.Options{Director: d, Log: t.Logf, Socket: s.Socket(), Overrides: s.OverridesFile(), Notify: func() []report.NotifyState { return *states.Load() }})
	defer server.Close()
	server.Use(cfg)
	for name, tt := range map[string]struct {
		states []report.NotifyState
		want   []string
	}{
		"always": {nil, nil},
		"active": {
			[]report.NotifyState{at("10.0.0.1", true, since, ""), at("10.0.0.2", true, since, "")},
			[]string{"active: mails and hooks for 10.0.0.1, 10.0.0.2 are sent from here, where the address is since 2026-11-30 09:00:00"},
		},
		"one of each": {
			[]report.NotifyState{at("10.0.0.1", true, since, ""), at("10.0.0.2", false, later, "")},
			[]string{
				"active: mails and hooks for 10.0.0.1 are sent from here, where the address is since 2026-11-30 09:00:00",
				"standby: mails and hooks for 10.0.0.2 are left to the director that has the address; it is not on this host since 2026-11-30 10:00:00",
			},
		},
		"not known": {
			[]report.NotifyState{at("10.0.0.1", true, since, "no netlink")},
			[]string{"active: mails and hooks for 10.0.0.1 are sent from here, as it is not known whether the address is on this host: no netlink"},
		},
		"many": {
			[]report.NotifyState{
				at("10.0.0.1", false, since, ""), at("10.0.0.2", false, since, ""), at("10.0.0.3", false, since, ""), at("10.0.0.4", false, since, ""),
				at("10.0.0.5", false, since, ""), at("10.0.0.6", false, since, ""), at("10.0.0.7", false, since, ""),
			},
			[]string{"standby: mails and hooks for 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 2 more are left to the director that has the address; it is not on this host since 2026-11-30 09:00:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			states.Store(&tt.states)
			time.Sleep(600 * time.Millisecond) // readers share a snapshot for half a second
			run := func(words ...string) string {
				var out bytes.Buffer
				Main(Env{Args: append([]string{"ldirectord", s.Path}, words...), RunDir: dir, StateDir: dir, Stdout: &out, Stderr: &out})
				return out.String()
			}
			for _, command := range []string{"show", "doctor"} {
				text := run(command)
				for _, want := range tt.want {
					if command == "doctor" {
						want = "note     " + want + " [notify-active]"
					}
					if !strings.Contains(text, want+"\n") {
						t.Errorf("%s has no %q:\n%s", command, want, text)
					}
				}
				if got := strings.Count(text, "mails and hooks for"); got != len(tt.want) {
					t.Errorf("%s says %d times who mails, want %d:\n%s", command, got, len(tt.want), text)
				}
			}
			if text := run("show", "--json"); strings.Count(text, `"active": `) != len(tt.states) {
				t.Errorf("JSON does not have %d states:\n%s", len(tt.states), text)
			}
		})
	}
}
