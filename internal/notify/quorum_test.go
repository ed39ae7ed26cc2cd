package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/secret"
)

func TestQuorumLine(t *testing.T) {
	for kind, want := range map[event.Kind]string{
		event.QuorumLost: "/bin/q down 10.0.0.1:80 tcp", event.QuorumRegained: "/bin/q up 10.0.0.1:80 tcp",
		event.QuorumMet: "/bin/q up 10.0.0.1:80 tcp", event.QuorumOver: "/bin/q down 10.0.0.1:80 tcp", event.AllGone: "", event.FallbackOn: "",
	} {
		e := event.Event{Kind: kind, V: "10.0.0.1:80", ID: "tcp:10.0.0.1:80", Virtual: &conf.VirtualService{Policy: conf.Policy{QuorumCommand: "/bin/q"}}}
		if got := quorumLine(e).reveal(); got != want {
			t.Errorf("%s runs %q, want %q", kind, got, want)
		}
		e.Virtual = &conf.VirtualService{}
		if got := quorumLine(e).reveal(); got != "" {
			t.Errorf("%s without quorumcommand runs %q", kind, got)
		}
	}
}

// The commands of one virtual service run in their order.
func TestQuorumCommandRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ran")
	s := set(t, &conf.Config{}, func(v *conf.VirtualService) { v.QuorumCommand = secret.Command("echo >>" + path + " ran") })
	s.event(event.QuorumMet)
	s.event(event.QuorumLost)
	s.event(event.QuorumRegained)
	s.Close(time.Time{})
	got, err := os.ReadFile(path)
	if want := "ran up 10.0.0.1:80 tcp\nran down 10.0.0.1:80 tcp\nran up 10.0.0.1:80 tcp\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// A command that fails is tried again after the pauses of a mail, but not before the next one of
// its virtual service, and not when the daemon ends.
func TestQuorumCommandIsTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		fails       int
		next, close bool
		want        string
	}{
		"works":          {0, false, false, "0s"},
		"twice":          {2, false, false, "0s 5s 25s"},
		"always":         {9, false, false, "0s 5s 25s failed"},
		"the next waits": {9, true, false, "0s failed"},
		"the end":        {9, false, true, "0s failed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLanes(laneLength)
				began, got := time.Now(), []string{}
				l.do("a", func(context.Context) {
					if tt.next {
						l.do("a", func(context.Context) {})
					}
					if tt.close {
						close(l.closes)
					}
					err := l.insist("a", func() error {
						got = append(got, time.Since(began).String())
						if len(got) > tt.fails {
							return nil
						}
						return errors.New("exit status 1")
					})
					if err != nil {
						got = append(got, "failed")
					}
				})
				l.running.Wait()
				l.cancel()
				if words := strings.Join(got, " "); words != tt.want {
					t.Errorf("called at %s, want %s", words, tt.want)
				}
			})
		})
	}
}

// The alert of a lost quorum lasts until it is met, or until the file has none.
func TestQuorumAlert(t *testing.T) {
	v := &conf.VirtualService{Policy: conf.Policy{Quorum: conf.Portion{Count: 2}}}
	cfg := &conf.Config{Virtuals: []*conf.VirtualService{v}}
	e := event.Event{Kind: event.QuorumLost, V: "10.0.0.1:80", ID: "tcp:10.0.0.1:80", Virtual: v, Time: time.Unix(1_800_000_000, 0)}
	f := firing{}
	if a := f.alert(e, "host"); a == nil || a.Labels["alertname"] != "LdirectordQuorumLost" || a.Labels["severity"] != "critical" {
		t.Errorf("the alert is %+v", a)
	}
	if ended := f.retain(cfg, e.Time); len(ended) != 0 || len(f) != 1 {
		t.Errorf("%d alerts ended, %d go on", len(ended), len(f))
	}
	e.Kind = event.QuorumMet // of a daemon that was started again, or of another file
	if a := f.alert(e, "host"); a == nil || !a.EndsAt.Equal(e.Time) || len(f) != 0 {
		t.Errorf("the end is %+v, and %d go on", a, len(f))
	}
	e.Kind = event.QuorumLost
	f.alert(e, "host")
	v.Quorum = conf.Portion{}
	if ended := f.retain(cfg, e.Time); len(ended) != 1 {
		t.Errorf("%d alerts ended without a quorum, want 1", len(ended))
	}
}
