package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestSeveralChecks has real servers with an http check and a named external check with
// arguments, of which all or one are needed: each fails and comes back, and reloads change
// how many are needed and remove the one that fails.
func TestSeveralChecks(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	dir := t.TempDir()
	script := filepath.Join(dir, "check")
	text := "#!/bin/sh\nprintf '<%s>' \"$@\" >>" + dir + "/calls\n[ ! -e \"" + dir + "/$6 of $3\" ]\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	appFails := func(fails bool) {
		t.Helper()
		bad := filepath.Join(dir, "a b of "+real1)
		err := os.RemoveAll(bad)
		if fails {
			err = os.WriteFile(bad, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	own := strings.Replace(gate.config(t), "checkinterval = 500ms", "checkinterval = 300ms", 1)
	block := "check = app\n    checktype = external\n    checkcommand = " + script + "\n    checkarguments = --site\n"
	all := strings.Replace(own, "virtual = ", block+"virtual = ", 1) + "    alsocheck = app 'a b'\n"
	one := all + "    checksneeded = 1\n"
	both, other := gate.holding("rs1", "rs2"), gate.holding("rs2")

	d := s.start(all)
	s.comesToHold(both)
	s.holds(both)
	called := func(r string) int {
		t.Helper()
		calls, err := os.ReadFile(filepath.Join(dir, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(calls), "<"+vip+"><80><"+r+"><80><--site><a b>")
	}
	if called(real1) == 0 || called(real2) == 0 {
		t.Error("the external check has not been called with its arguments")
	}
	load := func(text string) {
		t.Helper()
		d.configure(text)
		d.signal(syscall.SIGHUP)
		d.log.await("Changed virtual server: " + gate.v)
	}
	says := func(want string) {
		t.Helper()
		before := called(real1)
		await(t, "more external checks", func() bool { return called(real1) >= before+3 })
		await(t, "why with "+want, func() bool { return strings.Contains(d.run(0, "why", real1), want) })
	}

	appFails(true)
	s.comesToHold(other)
	s.holds(other)
	says("1 of 2 checks are up, 2 needed; app is down")
	appFails(false)
	s.comesToHold(both)
	s.Web("rs1").Stop()
	s.comesToHold(other)
	revive(s, "rs1")
	s.comesToHold(both)

	load(one)
	appFails(true)
	says("1 of 2 checks are up, 1 needed; app is down")
	s.checkedAgain("rs1", 2)
	s.holds(both)
	s.Web("rs1").Stop()
	s.comesToHold(other)
	appFails(false) // by this check alone
	s.comesToHold(both)
	revive(s, "rs1")
	says("2 of 2 checks are up, 1 needed")

	load(all)
	appFails(true)
	s.comesToHold(other)
	load(own)
	s.comesToHold(both)
	s.checkedAgain("rs1", 2)
	s.holds(both)
	d.stop()
	s.holds("")
}
