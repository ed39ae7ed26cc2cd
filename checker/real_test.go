package checker_test

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// A realTalk is one check of a real program and its expected result.
type realTalk struct {
	name   string
	check  checker.Talker
	detail string // contained in the detail
	err    string // contained in the error, "" is up
}

// talkReal runs the cases with the engine that the daemon runs them with.
func talkReal(t *testing.T, cases []realTalk) {
	t.Helper()
	e := engine.New(engine.Options{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, e, eventually.Limit) })
	}
}

// run runs the check once and compares the result.
func (c realTalk) run(t *testing.T, e *engine.Engine, timeout time.Duration) {
	t.Helper()
	r := e.Ask(t.Context(), c.check, timeout, 1)
	got := ""
	if r.Err != nil {
		got = r.Err.Error()
	}
	if c.err == "" && r.Err != nil || !strings.Contains(got, c.err) || !strings.Contains(r.Detail, c.detail) {
		t.Errorf("%v: detail %q, error %q, want %q, %q", c.check, r.Detail, got, c.detail, c.err)
	}
	if r.Took > timeout+eventually.Limit {
		t.Errorf("%v: took %v, more than %v", c.check, r.Took, timeout)
	}
}

// outage takes a program through a stop, a new start and a pause. The checks,
// which are up before, have to follow.
func outage(t *testing.T, d *realserver.Daemon, checks ...checker.Talker) {
	t.Helper()
	e := engine.New(engine.Options{})
	all := func(state string, timeout time.Duration, want string) {
		t.Helper()
		t.Run(state, func(t *testing.T) {
			for _, check := range checks {
				realTalk{check: check, err: want}.run(t, e, timeout)
			}
		})
	}
	all("running", eventually.Limit, "")
	d.Stop()
	all("stopped", eventually.Limit, "connection refused")
	d.Start()
	all("started again", eventually.Limit, "")
	d.Pause()
	all("paused", 300*time.Millisecond, "no answer in 300ms")
	d.Continue()
	all("continued", eventually.Limit, "")
}

// trusting is a client's configuration that knows ca and expects name.
func trusting(ca *realserver.Authority, name string) *tls.Config {
	return &tls.Config{RootCAs: ca.Pool, ServerName: name}
}

// receive compiles a valid pattern.
func receive(t *testing.T, perl string) *perlre.Pattern {
	t.Helper()
	p, err := perlre.Compile(perl)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newHTTP is the check of a web server by options that are right.
func newHTTP(t *testing.T, o checker.HTTPOptions, addr netip.AddrPort, config *tls.Config) *checker.HTTP {
	t.Helper()
	if err := o.Complete(); err != nil {
		t.Fatal(err)
	}
	h, err := o.At(addr, config)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// runSilent checks a server that does not answer.
func runSilent(t *testing.T, check checker.Talker, want string) {
	t.Helper()
	realTalk{check: check, err: want}.run(t, engine.New(engine.Options{}), 300*time.Millisecond)
}
