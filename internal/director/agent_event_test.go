package director

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A real server whose agent lives again and wants no new connections is back for its
// checks only: the event says that it stays out of service.
func TestBackWithoutConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		says, backs := "up 100%", []string(nil)
		d := New(Options{
			Table: ipvs.NewMemory(),
			Sink: func(e event.Event) {
				mu.Lock()
				defer mu.Unlock()
				if e.Kind == event.Back || e.Kind == event.AnyBack {
					backs = append(backs, report.NoteOf(e).Text)
				}
			},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				mu.Lock()
				defer mu.Unlock()
				if says == "down" {
					return engine.Result{Attempts: 1, Err: errors.New("agent says down")}
				}
				return engine.Result{Attempts: 1, Detail: says}
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		cfg := configured(t, "checkinterval=1\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=agent\n    checkport=9000\n")
		go func() { ended <- d.Run(ctx, cfg) }()
		<-d.Ready()
		for _, word := range []string{"up 100%", "down", "up 0%"} {
			mu.Lock()
			says = word
			mu.Unlock()
			time.Sleep(10 * time.Second)
		}
		cancel()
		<-ended
		if got, want := strings.Join(backs, "\n"), "real server 10.1.0.1:80 is back: out of service: drained by its own answer: up 0%"; got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	})
}

// A reload brings an agent, which has not answered, and a weight to a real server of
// weight 0: it does not serve yet, and the fallback is in before the last one that
// does leaves.
func TestSilentAgentServesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		file := "checkinterval=1\nquiescent=no\nvirtual=10.0.0.1:80\n    fallback=127.0.0.1:80 gate\n    real=10.1.0.1:80 masq 2\n    real=10.1.0.2:80 masq 0\n    service=http\n"
		l := goLive(t, table, file)
		defer func() { l.end() }()
		time.Sleep(time.Minute)
		if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 0"; got != want {
			t.Fatalf("destinations %q, want %q", got, want)
		}
		l.set(true, "10.1.0.1:9000")
		l.reload(strings.Replace(file, "masq 0", "masq 3", 1) + "    checktype=agent\n    checkport=9000\n")
		time.Sleep(10 * time.Second)
		if got, want := destinations(saved(t, table)), "10.1.0.2:80 -w 0, 127.0.0.1:80 -w 1"; got != want {
			t.Errorf("destinations %q, want %q", got, want)
		}
	})
}
