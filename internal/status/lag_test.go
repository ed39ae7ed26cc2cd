package status

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestLagIsVisible has show, top and the page report late checks.
func TestLagIsVisible(t *testing.T) {
	snap := &report.Snapshot{Time: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Ready: true}
	snap.Lag = report.Lag{Checks: 3, Overdue: 2, Worst: 7}
	var table strings.Builder
	if err := view.WriteTable(&table, snap); err != nil {
		t.Fatal(err)
	}
	summary := summaryPart(snap, words.Judge(snap))
	screen := strings.Join(new(view.Screen).Draw(snap, 200, 0), "\n")
	for name, text := range map[string]string{"show": table.String(), "top": screen, "the page": summary.html} {
		for _, want := range []string{"2 checks are overdue", "a check began 7.0s after its time"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, text)
			}
		}
	}
}

// A hanging table answers the first look, and the others when it is let go.
type hanging struct {
	ipvs.Table
	until chan struct{}
}

func (h hanging) Read() ([]ipvs.Entry, error) {
	<-h.until
	return h.Table.Read()
}

// A director that stands still is told of at once: neither who asks for health
// nor who asks for metrics waits for it.
func TestStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := hanging{ipvs.NewMemory(), make(chan struct{}, 1)}
		table.until <- struct{}{}
		d := director.New(director.Options{
			Table: table, Sink: func(event.Event) {},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				return engine.Result{Attempts: 1}
			},
		})
		cfg, err := conf.Parse("t.cf", []byte("driftcheck=60\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"), conf.Options{Hostname: "director"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, cfg) }()
		s := New(Options{Director: d, Log: t.Logf, Queues: func() []Queue { return []Queue{{Name: "mail"}} }})
		get := func(path string) (status int, body string) {
			began := time.Now()
			w := httptest.NewRecorder()
			s.handler(outside).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if took := time.Since(began); took > 0 {
				t.Errorf("%s took %v", path, took)
			}
			return w.Code, w.Body.String()
		}
		time.Sleep(72 * time.Second) // the look at the 60th second hangs
		if status, body := get("/healthz"); status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "the director has stood still") {
			t.Errorf("/healthz with a director that stands still: %d %q", status, body)
		}
		status, body := get("/metrics")
		for _, want := range []string{"\nldirectord_alive 0\n", "ldirectord_queue_waiting{queue=\"mail\"} 0\n", "\ngo_goroutines "} {
			if status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("/metrics with a director that stands still: %d, without %q:\n%s", status, want, body)
			}
		}
		close(table.until)
		time.Sleep(2 * time.Second)
		if status, body := get("/healthz"); status != http.StatusOK || body != "alive\n" {
			t.Errorf("/healthz when it goes on: %d %q", status, body)
		}
		if _, body := get("/metrics"); !strings.Contains(body, "\nldirectord_alive 1\n") || !strings.Contains(body, "\nldirectord_ready 1\n") {
			t.Errorf("/metrics when it goes on:\n%s", body)
		}
		cancel()
		<-ended
		s.Close()
	})
}
