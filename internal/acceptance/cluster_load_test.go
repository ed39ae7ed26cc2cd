package acceptance

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ldirectord/internal/lab"
)

// TestClusterLoad puts the how-tos' load on a cluster and has real servers die
// and come back meanwhile, and the daemon reloaded and restarted. With
// quiescent=no nothing fails but what was under way at a real server that died.
func TestClusterLoad(t *testing.T) {
	lab.Need(t, lab.Package{Name: "apache2-utils", File: "/usr/bin/ab"})
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
		t.Logf("%d of %d requests failed until the death was seen", failed, loadRequests)
		if failed == 0 {
			t.Error("no request failed: the load does not show failures")
		}
		c.load(t, 0, func() {})
	})
}

const (
	loadRequests = 10000
	loadAtOnce   = 100
)

var failedRequests = regexp.MustCompile(`Failed requests: +(\d+)`)

// load is "ab -c 100 -n 10000" while f runs; it returns how many requests failed.
// They must not be more than most, unless that is negative.
func (c *cluster) load(t *testing.T, most int, f func()) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*limit) // user-mode Linux can be slow
	defer cancel()
	out := make(chan string, 1)
	before := c.served()
	go func() { out <- c.bench(ctx) }()
	await(t, "the load", func() bool { return c.served() > before+loadAtOnce })
	f()
	if len(out) > 0 {
		t.Error("the load ended before what was to happen in it")
	}
	text := <-out
	match := failedRequests.FindStringSubmatch(text)
	if match == nil || !strings.Contains(text, fmt.Sprintf("Complete requests:      %d\n", loadRequests)) {
		t.Fatalf("ab says:\n%s", text)
	}
	failed, _ := strconv.Atoi(match[1])
	if most >= 0 && failed > most {
		t.Errorf("%d of %d requests failed, want %d at most:\n%s", failed, loadRequests, most, text)
	}
	return failed
}

// served is how many requests the real servers have had.
func (c *cluster) served() int { return len(c.Web("rs1").Clients()) + len(c.Web("rs2").Clients()) }

// bench runs ab in the client's namespace. -r has it go on after an error; the
// pages of two real servers differ in nothing but a digit.
func (c *cluster) bench(ctx context.Context) string {
	cmd := exec.CommandContext(ctx, "nsenter", "--net=/run/netns/client", "--", "ab", "-r", "-q", "-s", "5",
		"-c", strconv.Itoa(loadAtOnce), "-n", strconv.Itoa(loadRequests), "http://"+lab.VIP+"/")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s\n%v", out, err)
	}
	return string(out)
}
