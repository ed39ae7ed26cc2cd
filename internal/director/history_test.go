package director

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestStartOfManyKeepsWhoIsGone starts with 5,000 real servers after a daemon that noted one gone,
// and reloads a file with twice as many.
func TestStartOfManyKeepsWhoIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := func(services int) string {
			var b strings.Builder
			b.WriteString("checkinterval=10\nquiescent=yes\n")
			for i := range services {
				fmt.Fprintf(&b, "virtual=10.0.%d.%d:80\n    fallback=127.0.0.1:80\n", i/250, i%250)
				for j := range 10 {
					fmt.Fprintf(&b, "    real=10.%d.%d.%d:80 masq\n", 1+j, i/250, i%250)
				}
			}
			return b.String()
		}
		h := new(event.History)
		gone := event.Event{Kind: event.Gone, Seq: 7, Time: time.Now(), ID: "tcp:10.0.0.0:80", R: "10.1.0.0:80", Reason: "refused"}
		h.Begin(gone, time.Now())
		h.Restore([]event.Event{gone})
		d := New(Options{
			Table: ipvs.NewMemory(), Sink: func(event.Event) {}, History: h,
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				return engine.Result{Attempts: 1}
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, configured(t, text(500))) }()
		<-d.Ready()
		time.Sleep(30 * time.Second)
		if err := d.Reload(t.Context(), configured(t, text(1000))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		all, err := d.History(t.Context(), report.HistoryQuery{Limit: 100_000})
		if err != nil || len(all) < 4000 || all[0].Kind != "gone" || all[0].Seq != 7 || !strings.HasPrefix(all[1].Text, "ldirectord started") {
			t.Errorf("%d notes, %v, which begin with %+v", len(all), err, all[:min(2, len(all))])
		}
		verdicts, err := d.History(t.Context(), report.HistoryQuery{Real: "10.1.0.0:80", Verdicts: true, Limit: 1000})
		if err != nil || len(verdicts) == 0 || verdicts[0].Kind != "gone" {
			t.Errorf("the history of the real server: %+v, %v", verdicts, err)
		}
		cancel()
		<-ended
	})
}
