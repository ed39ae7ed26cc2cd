package daemon

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A mute table answers the first look, and the others when it is let go.
type mute struct {
	ipvs.Table
	until chan struct{}
}

func (m mute) Read() ([]ipvs.Entry, error) {
	<-m.until
	return m.Table.Read()
}

// TestWatchdogIsNotFed has the kernel hold up the director: systemd hears nothing
// until it goes on, and the log says why.
func TestWatchdogIsNotFed(t *testing.T) {
	told := listenAsSystemd(t)
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		cfg, err := conf.Parse("t.cf", []byte("supervised=yes\ndriftcheck=60\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"), conf.Options{Hostname: "director"})
		if err != nil {
			t.Fatal(err)
		}
		table := mute{ipvs.NewMemory(), make(chan struct{}, 1)}
		table.until <- struct{}{}
		d := &daemon{
			log: logfile.New(logfile.Options{Stdout: &out}, cfg),
			director: director.New(director.Options{
				Table: table, Sink: func(event.Event) {},
				Ask: func(context.Context, checker.Checker, time.Duration, int) engine.Result {
					return engine.Result{Attempts: 1}
				},
			}),
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.director.Run(ctx, cfg) }()
		time.Sleep(59 * time.Second)
		d.feedWatchdog()
		notifySystemd("AT=59")
		time.Sleep(13 * time.Second) // the look at the 60th second hangs
		d.feedWatchdog()
		notifySystemd("AT=72")
		close(table.until)
		time.Sleep(2 * time.Second)
		d.feedWatchdog()
		notifySystemd("AT=74")
		cancel()
		<-ended
		d.log.Close()
	})
	var got []string
	for len(got) == 0 || got[len(got)-1] != "AT=74" {
		got = append(got, told())
	}
	if diff := cmp.Diff([]string{"WATCHDOG=1", "AT=59", "AT=72", "WATCHDOG=1", "AT=74"}, got); diff != "" {
		t.Errorf("systemd was told (-want +got):\n%s", diff)
	}
	if want := "Standing still, the watchdog is not fed: the director has stood still for "; strings.Count(out.String(), want) != 1 {
		t.Errorf("the log has %q, want %q once", out.String(), want)
	}
}
