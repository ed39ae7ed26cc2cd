package director

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// An agent's maxconn is the upper threshold, above which no lower one is. Without it that of the
// file counts, a restart keeps it until the agent answers, and neither the comparison with the table
// nor a reload changes it.
func TestMaxConnOfAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		says, repairs, restored := "up", 0, 0
		table := ipvs.NewMemory()
		file := "checkinterval=10\ncleanstop=no\ndriftcheck=1\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50 l:20 u:40\n    checktype=agent\n    checkport=9000\n"
		var d *Director
		begin := func() (end func()) {
			d = New(Options{
				Table: table,
				Sink: func(e event.Event) {
					mu.Lock()
					defer mu.Unlock()
					switch e.Kind {
					case event.Repaired:
						repairs++
					case event.RealRestored:
						restored++
					}
				},
				Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
					mu.Lock()
					defer mu.Unlock()
					if says == "" {
						return engine.Result{Attempts: 1, Local: true, Err: context.DeadlineExceeded}
					}
					reply, err := checker.ParseAgent(says)
					return engine.Result{Attempts: 1, Detail: reply.String(), Err: err}
				},
			})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx, configured(t, file)) }()
			<-d.Ready()
			time.Sleep(time.Minute)
			return func() { cancel(); <-ended }
		}
		thresholds := func() string {
			found := regexp.MustCompile(`-w \d+( -x \d+)?( -y \d+)?`).FindString(saved(t, table))
			return strings.ReplaceAll(strings.ReplaceAll(found, "-x", "u"), "-y", "l")
		}
		end := begin()
		for _, tt := range []struct{ says, what, want string }{
			{"up", "", "-w 50 u 40 l 20"},
			{"up maxconn:30", "", "-w 50 u 30 l 20"},
			{"up maxconn:20", "", "-w 50 u 20 l 19"},
			{"up maxconn:1", "", "-w 50 u 1"},
			{"50% maxconn:100", "", "-w 25 u 100 l 20"},
			{"", "restart", "-w 25 u 100 l 20"},
			{"50% maxconn:0", "", "-w 25 u 40 l 20"},
			{"50% maxconn:30", "", "-w 25 u 30 l 20"},
			{"50% maxconn:30", "reload", "-w 25 u 30 l 20"},
			{"50%", "", "-w 25 u 40 l 20"},
		} {
			mu.Lock()
			says = tt.says
			mu.Unlock()
			switch tt.what {
			case "restart":
				end()
				end = begin()
			case "reload":
				if err := d.Reload(t.Context(), configured(t, strings.Replace(file, "u:40", "u:50", 1))); err != nil {
					t.Fatal(err)
				}
				if err := d.Reload(t.Context(), configured(t, file)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
			if got := thresholds(); got != tt.want {
				t.Errorf("the agent says %q %s: %q, want %q", tt.says, tt.what, got, tt.want)
			}
		}
		end()
		if repairs > 0 || restored > 2 {
			t.Errorf("%d repairs, %d restored: maxconn is no external change, and no news of its own", repairs, restored)
		}
	})
}
