package acceptance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterLoad puts the how-tos' load on a cluster and has real servers die
// and come back meanwhile, and the daemon reloaded and restarted. With
// quiescent=no nothing fails but what was under way at a real server that died.
func TestClusterLoad(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 2, `
quiescent=no
cleanstop=no
virtual=VIP:80
    real=RS1:80 gate
    real=RS2:80 gate
    scheduler=rr
    checktype=connect
`)
	c.realServers(2, "--vip", lab.VIP)
	c.host("director", "director", "up")
	c.start()
	both := []string{"-r 10.0.1.11:80 -g -w 1", "-r 10.0.1.12:80 -g -w 1"}
	c.untilTable(both...)

	t.Run("nothing happens", func(t *testing.T) { c.load(t, 0, func() {}) })
	t.Run("reload and restart", func(t *testing.T) {
		c.load(t, 0, func() {
			c.Output("director", c.binary, c.file, "reload")
			c.Output("director", c.binary, c.file, "restart")
			c.untilTable(both...)
		})
	})
	t.Run("a real server that is gone", func(t *testing.T) {
		c.Web("rs2").Stop()
		await(t, "the death of rs2", func() bool { return !strings.Contains(c.Table(), "10.0.1.12") })
		c.load(t, 0, func() {})
	})
	t.Run("a real server comes back", func(t *testing.T) {
		c.load(t, 0, func() {
			c.must(c.Web("rs2").Start())
			c.untilTable(both...)
		})
	})
	t.Run("a real server dies", func(t *testing.T) {
		// What is asked of it until a check sees it, and what it had not answered.
		failed := c.load(t, -1, func() {
			c.Web("rs1").Stop()
			await(t, "the death of rs1", func() bool { return !strings.Contains(c.Table(), "10.0.1.11") })
		})
		t.Logf("%d requests failed until the death was seen", failed)
		if failed == 0 {
			t.Error("no request failed: the load does not show failures")
		}
		c.load(t, 0, func() {})
	})
}

const (
	loadRequests = 300 // served, at least, in one load
	loadAtOnce   = 100
)

// load is the how-tos' "ab -c 100" while f runs and for loadRequests in any
// case; it returns how many requests failed. They must not be more than most,
// unless that is negative.
//
// It is not ab itself, which gives up after ten connections that were reset.
func (c *cluster) load(t *testing.T, most int64, f func()) int64 {
	t.Helper()
	var served, failed atomic.Int64
	var last atomic.Pointer[error] // of those that failed
	ctx, cancel := context.WithCancel(t.Context())
	client := c.HTTP("client")
	client.Timeout = limit // that of ab, too
	var visitors sync.WaitGroup
	stop := func() {
		cancel()
		visitors.Wait()
	}
	defer stop()
	for range loadAtOnce {
		visitors.Go(func() {
			for ctx.Err() == nil {
				if err := fetch(client); err != nil {
					failed.Add(1)
					last.Store(&err)
				} else {
					served.Add(1)
				}
			}
		})
	}
	await(t, "the load", func() bool { return served.Load() > loadAtOnce })
	f()
	await(t, "the rest of the load", func() bool { return served.Load() > loadRequests })
	stop()
	if n := failed.Load(); most >= 0 && n > most {
		t.Errorf("%d of %d requests failed, want %d at most; one of them: %v", n, n+served.Load(), most, *last.Load())
	}
	return failed.Load()
}

func fetch(client *http.Client) error {
	resp, err := client.Get("http://" + lab.VIP + "/")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
