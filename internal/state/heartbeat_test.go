package state

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// TestJudge has the order of what a watcher may see.
func TestJudge(t *testing.T) {
	const s = time.Second
	beat := heartbeat{at: 100 * s, cpu: 10 * s}
	at := func(now time.Duration) glance {
		return glance{pid: 7, now: now, beat: beat, beats: true, cpu: 10 * s}
	}
	with := func(g glance, f func(*glance)) glance { f(&g); return g }
	stopped := func(g *glance) { g.stopped = true }
	waits := func(g *glance) { g.waits = true }
	tests := map[string]struct {
		begin, now  glance
		works, hung bool
	}{
		"just now":                     {at(101 * s), at(101 * s), true, false},
		"late":                         {at(104 * s), at(105 * s), false, false},
		"late, and the next has come":  {at(104 * s), with(at(106*s), func(g *glance) { g.beat.at = 106 * s }), true, false},
		"stopped just now":             {with(at(101*s), stopped), with(at(101*s), stopped), false, false},
		"stopped for long":             {with(at(101*s), stopped), with(at(110*s), stopped), false, true},
		"goes on after a pause":        {at(200 * s), at(200 * s), false, false},
		"sleeps for ever":              {at(101 * s), at(111 * s), false, true},
		"turns in circles":             {at(101 * s), with(at(111*s), func(g *glance) { g.cpu = 11 * s; g.waits = true }), false, true},
		"gets no processor":            {with(at(101*s), waits), with(at(111*s), waits), true, false},
		"gets no processor, at first":  {with(at(109*s), waits), with(at(112*s), waits), false, false},
		"ended":                        {at(101 * s), with(at(105*s), func(g *glance) { g.ended = true }), true, false},
		"no heartbeats":                {glance{}, glance{}, true, false},
		"no heartbeats, and is paused": {glance{}, glance{stopped: true}, false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			works, err := judge(test.begin, test.now)
			if _, hung := errors.AsType[*HungError](err); works != test.works || hung != test.hung {
				t.Errorf("works %t, error %v; want %t, hung %t", works, err, test.works, test.hung)
			}
		})
	}
}

// TestStopped stops a daemon: within ten seconds it is known to hang, and it works
// again when it goes on.
func TestStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: left out, waits")
	}
	t.Parallel()
	dir := Dir(t.TempDir())
	p := begin(t, dir, Record{File: "/a.cf"})
	d, ok := dir.find("/a.cf")
	if !ok {
		t.Fatal("not found")
	}
	if err := d.Working(); err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "the stop", func() bool { p, _ := readProcess(d.PID); return p.state == 'T' })
	began := time.Now()
	err := d.Working()
	if _, hung := errors.AsType[*HungError](err); !hung {
		t.Errorf("stopped: %v, want that it hangs", err)
	}
	eventually.InTime(t, "Working", began, silence)
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := d.Working(); err != nil {
		t.Errorf("gone on: %v", err)
	}
}

// TestEveryUserReadsHeartbeats looks at the modes of what a daemon writes.
func TestEveryUserReadsHeartbeats(t *testing.T) {
	dir := Dir(t.TempDir() + "/run")
	c, err := dir.Claim(Record{File: "/a.cf"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	for _, file := range []string{string(dir), c.path(lockEnding), c.path(recordEnding)} {
		stat, err := os.Stat(file)
		if err != nil || stat.Mode().Perm()&0o444 != 0o444 {
			t.Errorf("%s: %v, %v, want it readable by all", file, stat.Mode(), err)
		}
	}
}
