package director

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// requests is a table that records the groups of changes.
type requests struct {
	*ipvs.Memory
	asked [][]string
}

func (r *requests) ApplyAll(changes []ipvs.Change) []error {
	var asked []string
	for _, c := range changes {
		asked = append(asked, c.String())
	}
	if len(asked) > 0 {
		r.asked = append(r.asked, asked)
	}
	return ipvs.ApplyAll(r.Memory, changes)
}

// A real server of three virtual services dies: the kernel gets two requests,
// one for all fallbacks and then one for all deletions. A fallback of weight 0, from an external
// change, has a weight before the real server is deleted.
func TestDeathsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := &requests{Memory: ipvs.NewMemory()}
		var done []string
		table.OnChange = func(c ipvs.Change) { done = append(done, c.String()) }
		var broken bool
		d := New(Options{
			Table: table, Sink: func(event.Event) {},
			Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
				if broken {
					return engine.Result{Attempts: 1, Err: errors.New("down")}
				}
				return engine.Result{Attempts: 1}
			},
		})
		var text strings.Builder
		text.WriteString("checkinterval=3600\nquiescent=no\ndriftcheck=0\ncleanstop=no\n")
		for i := range 3 {
			fmt.Fprintf(&text, "virtual=10.0.0.%d:80\n    fallback=127.0.0.1:80 masq\n    real=10.1.0.1:80 masq\n", i+1)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, configured(t, text.String())) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		service := ipvs.Service{Key: d.virtuals[1].Service.Key}
		byHand := ipvs.Change{Op: ipvs.AddDestination, Service: service, Destination: d.virtuals[1].Fallback.Destination()}
		byHand.Destination.Weight = 0
		if err := table.Apply(byHand); err != nil {
			t.Fatal(err)
		}
		table.asked, done, broken = nil, nil, true
		if _, err := d.Recheck(t.Context(), "", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		var fallbacks, deletions []string
		for i := range 3 {
			fallbacks = append(fallbacks, fmt.Sprintf("-a -t 10.0.0.%d:80 -r 127.0.0.1:80 -m -w 1", i+1))
			deletions = append(deletions, fmt.Sprintf("-d -t 10.0.0.%d:80 -r 10.1.0.1:80", i+1))
		}
		if diff := cmp.Diff([][]string{fallbacks, deletions}, table.asked); diff != "" {
			t.Errorf("the table was asked for (-want +got):\n%s", diff)
		}
		repaired := []string{fallbacks[0], fallbacks[2], "-e -t 10.0.0.2:80 -r 127.0.0.1:80 -m -w 1"}
		if diff := cmp.Diff(slices.Concat(repaired, deletions), done); diff != "" {
			t.Errorf("what was done (-want +got):\n%s", diff)
		}
		cancel()
		<-ended
	})
}
