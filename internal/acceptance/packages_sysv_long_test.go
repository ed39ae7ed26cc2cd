//go:build long

package acceptance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLongTransitionsSysV is TestLongTransitions on a machine without systemd, by the
// init scripts of both packages, for each place of the configuration file that they know.
func TestLongTransitionsSysV(t *testing.T) {
	p := newPackager(t)
	h := newManaged(t)
	if h == nil {
		return
	}
	for _, file := range []string{"/usr/bin/systemctl", "/bin/systemctl", "/run/systemd"} {
		if err := os.RemoveAll(file); err != nil { // of this throw-away copy
			t.Fatal(err)
		}
	}
	// As in a machine that SysV's init has booted: invoke-rc.d asks for it.
	if err := os.WriteFile("/usr/sbin/runlevel", []byte("#!/bin/sh\necho N 2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, file, settings string }{
		{"named in /etc/default", configFile, "CONFIG_FILE=" + configFile + "\n"},
		{"the scripts' own", "/etc/ldirectord.cf", "# nothing\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &sysVPackages{managed: h, p: p, config: tt.file}
			v.begin(t, tt.settings)
			v.transitions(t)
			v.removed(t)
			v.stoppedStays(t)
		})
	}
}

// sysVPackages are packages on a machine that SysV's init script serves.
type sysVPackages struct {
	*managed
	p      *packager
	config string // the daemon's file
}

// run runs a command on the director.
func (v *sysVPackages) run(t testing.TB, words ...string) (out string, status int) {
	t.Helper()
	return v.does(t, nil, words...)
}

// begin has the Perl daemon run as its package and its user have left it.
func (v *sysVPackages) begin(t *testing.T, settings string) {
	t.Helper()
	v.install(t, v.perl, initScript, initScript)
	v.p.t = t
	v.p.does = func(words ...string) (string, int) { return v.run(t, words...) }
	v.p.edited = map[string]string{v.config: swapConfig, "/etc/default/ldirectord": settings}
	v.p.begin()
	for _, word := range []string{"defaults", "enable"} { // the tests' set-up has disabled it
		if out, status := v.run(t, "update-rc.d", "ldirectord", word); status != 0 {
			t.Fatalf("update-rc.d ldirectord %s: exit status %d\n%s", word, status, out)
		}
	}
	v.script(t, 0, "start")
	v.comesFull(t, "the Perl daemon")
}

// script runs the init script that is installed.
func (v *sysVPackages) script(t testing.TB, status int, word string) (out string) {
	t.Helper()
	out, got := v.run(t, initScript, word)
	if got != status {
		t.Errorf("%s %s: exit status %d, want %d\n%s", initScript, word, got, status, out)
	}
	return out
}

// transitions changes the daemon under held connections.
func (v *sysVPackages) transitions(t *testing.T) {
	held := v.hold(30)
	v.w.taken()
	for _, step := range []struct {
		what   string
		args   []string
		perl   bool
		silent bool // nothing is asked of the kernel
	}{
		{"the upgrade from the Perl daemon", []string{"-i", v.p.ours}, false, false},
		{"an upgrade", []string{"-i", v.p.newer}, false, true},
		{"a downgrade", []string{"-i", v.p.ours}, false, true},
		{"the change to the small package", []string{"--auto-deconfigure", "-i", v.p.small}, false, true},
		{"the change to the full package", []string{"--auto-deconfigure", "-i", v.p.newer}, false, true},
		{"the downgrade to the Perl daemon", []string{"-i", v.p.perl}, true, false},
		{"another upgrade from it", []string{"-i", v.p.ours}, false, false},
	} {
		before := v.script(t, 0, "status")
		v.p.dpkg(step.args...)
		if after := v.script(t, 0, "status"); after == before {
			t.Errorf("after %s the same daemon runs: %s", step.what, after)
		}
		if out, status := v.run(t, "pgrep", "-f", "[p]erl.*ldirectord"); (status == 0) != step.perl {
			t.Errorf("after %s the Perl daemon is %q, wanted: %t", step.what, out, step.perl)
		}
		v.comesFull(t, step.what)
		held.live(t, step.what)
		v.p.keeps(step.what)
		asked := v.w.taken()
		if step.silent && len(asked) > 0 || slices.Contains(asked, "DEL_SERVICE") || slices.Contains(asked, "FLUSH") {
			t.Errorf("%s asked the kernel for %q", step.what, asked)
		}
	}
}

// removed removes the package from under a daemon: the table stays.
func (v *sysVPackages) removed(t *testing.T) {
	held := v.hold(30)
	v.w.taken()
	v.p.dpkg("-r", "ldirectord")
	v.isStopped(t, "the removal")
	held.live(t, "the removal")
	v.p.keeps("the removal")
	if asked := v.w.taken(); len(asked) > 0 {
		t.Errorf("the removal asked the kernel for %q", asked)
	}
	v.p.dpkg("-i", v.p.ours)
	v.isStopped(t, "an installation")
	v.script(t, 0, "start")
	v.comesFull(t, "the start after an installation")
	held.live(t, "the start after an installation")
}

// stoppedStays has a daemon that was stopped stay so, and purges.
func (v *sysVPackages) stoppedStays(t *testing.T) {
	v.script(t, 0, "stop")
	for _, file := range []string{v.p.newer, v.p.ours} {
		v.p.dpkg("-i", file)
		v.isStopped(t, file)
	}
	v.p.dpkg("-P", "ldirectord")
	for _, pattern := range []string{"/etc/ha.d/ldirectord.cf", "/etc/init.d/ldirectord", "/etc/default/ldirectord", "/etc/rc?.d/*ldirectord", "/var/lib/ldirectord*"} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("after the purge there is %q", left)
		}
	}
	if table := v.Table(); table != "" {
		t.Errorf("the table in the end:\n%s", table)
	}
}

// isStopped sees that no daemon runs.
func (v *sysVPackages) isStopped(t testing.TB, after string) {
	t.Helper()
	if out, status := v.run(t, "pgrep", "-f", "[l]directord.* start$"); status == 0 {
		t.Errorf("after %s there is a daemon: %s", after, strings.TrimSpace(out))
	}
}
