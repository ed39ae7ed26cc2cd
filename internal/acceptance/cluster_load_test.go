package acceptance

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

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
		t.Logf("%d requests failed until the death was seen", failed)
		if failed == 0 {
			t.Error("no request failed: the load does not show failures")
		}
		c.load(t, 0, func() {})
	})
}

const (
	loadRequests = 1000 // at least, in one load
	loadAtOnce   = 100
)

var (
	completeRequests = regexp.MustCompile(`Complete requests: +(\d+)`)
	failedRequests   = regexp.MustCompile(`Failed requests: +(\d+)`)
)

// load is "ab -c 100" while f runs and for loadRequests in any case; it returns
// how many requests failed. They must not be more than most, unless that is
// negative.
func (c *cluster) load(t *testing.T, most int, f func()) int {
	t.Helper()
	var out bytes.Buffer
	ab := c.bench(t.Context(), &out)
	before := c.served()
	c.must(ab.Start())
	await(t, "the load", func() bool { return c.served() > before+loadAtOnce })
	f()
	await(t, "the rest of the load", func() bool { return c.served() > before+loadRequests })
	c.must(ab.Process.Signal(os.Interrupt)) // has it say what it has seen
	_ = ab.Wait()                           // it fails, being interrupted
	text := out.String()
	complete, failed := count(completeRequests, text), count(failedRequests, text)
	if complete < loadRequests-loadAtOnce || failed < 0 {
		t.Fatalf("ab says:\n%s", text)
	}
	if most >= 0 && failed > most {
		t.Errorf("%d of %d requests failed, want %d at most:\n%s", failed, complete, most, text)
	}
	return failed
}

// count is the number that ab gives for something, -1 if it gives none.
func count(what *regexp.Regexp, text string) int {
	match := what.FindStringSubmatch(text)
	if match == nil {
		return -1
	}
	n, _ := strconv.Atoi(match[1])
	return n
}

// served is how many requests the real servers have had.
func (c *cluster) served() int { return len(c.Web("rs1").Clients()) + len(c.Web("rs2").Clients()) }

// bench is ab in the client's namespace, with more requests than it will get to.
// -r has it go on after an error; the pages of two real servers differ in nothing
// but a digit.
func (c *cluster) bench(ctx context.Context, out io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", "--net=/run/netns/client", "--", "ab", "-r", "-q", "-s", "5",
		"-c", strconv.Itoa(loadAtOnce), "-n", "10000000", "http://"+lab.VIP+"/")
	cmd.Stdout, cmd.Stderr = out, out
	return cmd
}
