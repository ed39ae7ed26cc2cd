//go:build long

package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// packagesOutside names the directory of the packages to the test inside of the lab.
const packagesOutside = "LDIRECTORD_TEST_PACKAGES"

// A packager installs packages on a director, into a dpkg database that knows little
// but ldirectord: that of the machine is large, which takes time in the lab.
type packager struct {
	t    testing.TB
	does func(words ...string) (out string, status int)

	edited map[string]string // configuration files as their user has left them

	perl, ours, newer, small string // packages
}

// newPackager makes the packages outside of the lab. Inside, the Perl daemon's package
// is what dpkg has installed.
func newPackager(t *testing.T) *packager {
	t.Helper()
	lab.Need(t, "systemd", "ldirectord", "libwww-perl", "procps")
	dir := os.Getenv(packagesOutside)
	if dir == "" {
		dir = t.TempDir()
		t.Setenv(packagesOutside, dir)
		t.Setenv("COMPRESSION", "none")
		t.Setenv("OUT", dir+"/1")
		one := []string{"-C", "../..", "packages", "ARCHES=amd64", "FORMATS=deb", "CYCLONEDX="}
		runMake(t, append(one, "VERSION=v9.1")...)
		t.Setenv("OUT", dir+"/2")
		runMake(t, append(one, "VERSION=v9.2", "NAMES=ldirectord")...)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", `cd "$0" && apt-get -qq download ldirectord="$(dpkg-query -W -f '${Version}' ldirectord)"`, dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("downloading the package of the Perl daemon: %v\n%s", err, out)
		}
	}
	p := &packager{t: t, edited: edited}
	for file, pattern := range map[*string]string{&p.perl: "ldirectord_1*_all.deb", &p.ours: "1/ldirectord_9*.deb", &p.newer: "2/ldirectord_9*.deb", &p.small: "1/ldirectord-small_9*.deb"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", pattern, found, err)
		}
		*file = found[0]
	}
	return p
}

// runMake runs make.
func runMake(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "make", args...).CombinedOutput(); err != nil {
		t.Fatalf("make %q: %v\n%s", args, err, out)
	}
}

// edited are those that the unit reads, and others of the package.
var edited = map[string]string{
	configFile:                    swapConfig,
	"/etc/default/ldirectord":     "CONFIG_FILE=" + configFile + "\n",
	"/etc/logrotate.d/ldirectord": "/var/log/ldirectord.log {\n\tdaily\n\tmissingok\n}\n",
}

// begin makes the database and edits the files.
func (p *packager) begin() {
	p.t.Helper()
	dir := p.t.TempDir()
	// The other two own the directories and links that nothing may remove.
	const script = `cd "$1" && mkdir info updates triggers && : >available && echo 1 >info/format &&
		for package in base-files init-system-helpers ldirectord; do
			cp /var/lib/dpkg/info/$package.* info && dpkg -s $package | sed '/^\(Pre-\)\?Depends:/d' && echo
		done >status && rm -f /usr/sbin/policy-rc.d && readlink /lib >/dev/null && printf '/lib\n/lib/systemd\n/lib/systemd/system\n' >>info/base-files.list`
	if out, err := exec.CommandContext(p.t.Context(), "sh", "-c", script, "sh", dir).CombinedOutput(); err != nil {
		p.t.Fatalf("making a database of dpkg: %v\n%s", err, out)
	}
	if t, ok := p.t.(*testing.T); ok {
		t.Setenv("DPKG_ADMINDIR", dir)
	}
	for file, text := range p.edited {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

// dpkg has no terminal to ask anything.
func (p *packager) dpkg(args ...string) {
	p.t.Helper()
	began := time.Now()
	out, status := p.does(append([]string{"dpkg", "--force-depends", "--force-unsafe-io"}, args...)...)
	if status != 0 || strings.Contains(out, "Configuration file '") {
		p.t.Errorf("dpkg %q: exit status %d\n%s", args, status, out)
	}
	p.t.Logf("dpkg %q took %v\n%s", args, time.Since(began).Round(time.Millisecond), out)
}

// keeps sees that the files are as their user has left them.
func (p *packager) keeps(after string) {
	p.t.Helper()
	for file, want := range p.edited {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			p.t.Errorf("after %s, %s is %q, want %q; %v", after, file, got, want, err)
		}
	}
}

// TestLongTransitions goes through what dpkg does with the package on a machine with
// systemd, under held connections: from the Perl daemon, to a newer and an older one, to
// the small one, back to the Perl daemon, removed, and purged.
func TestLongTransitions(t *testing.T) {
	p := newPackager(t)
	w := newSwap(t)
	if w == nil {
		return
	}
	p.does = w.m.run
	if err := os.MkdirAll("/etc/init.d", 0o755); err != nil { // boot has emptied it
		t.Fatal(err)
	}
	p.begin()
	out, status := w.m.run("sh", "-c", `dpkg --fsys-tarfile "$1" | tar x -C / ./etc/init.d`, "sh", p.perl)
	if status != 0 {
		t.Fatal(out)
	}
	w.m.must("systemctl", "enable", "ldirectord")

	w.held = w.hold(30)
	w.w.taken()
	transition := func(what string, ours bool, args ...string) (asked []string) {
		t.Helper()
		p.dpkg(args...)
		w.m.isOurs(t, ours)
		w.comesFull(t, what)
		w.held.live(t, what)
		p.keeps(what)
		asked = w.w.taken()
		if slices.Contains(asked, "DEL_SERVICE") || slices.Contains(asked, "FLUSH") {
			t.Errorf("%s asked the kernel for %q", what, asked)
		}
		w.m.must("systemctl", "is-enabled", "ldirectord")
		return asked
	}
	silent := func(what string, args ...string) {
		t.Helper()
		if asked := transition(what, true, args...); len(asked) > 0 {
			t.Errorf("%s asked the kernel for %q", what, asked)
		}
	}
	if asked := transition("the upgrade from the Perl daemon", true, "-i", p.ours); slices.Contains(asked, "DEL_DEST") {
		t.Errorf("the upgrade from the Perl daemon asked the kernel for %q", asked)
	}
	silent("an upgrade", "-i", p.newer)
	silent("a downgrade", "-i", p.ours)
	silent("the change to the small package", "--auto-deconfigure", "-i", p.small)
	silent("the change to the full package", "--auto-deconfigure", "-i", p.newer)
	transition("the downgrade to the Perl daemon", false, "-i", p.perl)
	transition("another upgrade from it", true, "-i", p.ours)

	w.removed(t, p)
	w.stoppedStays(t, p)
}

// removed removes the package from under a daemon: the table stays.
func (w *swap) removed(t *testing.T, p *packager) {
	p.dpkg("-r", "ldirectord")
	w.isStopped(t, "the removal")
	w.held.live(t, "the removal")
	p.keeps("the removal")
	if got := strings.Count(w.Table(), "-r "); got != 2 {
		t.Errorf("after the removal there are %d real servers in the table", got)
	}
	p.dpkg("-i", p.ours)
	w.isStopped(t, "an installation")
	w.m.must("systemctl", "start", "ldirectord")
	w.comesFull(t, "the start after an installation")
	w.held.live(t, "the start after an installation")
}

// stoppedStays has a daemon that was stopped stay so, whatever is done, and purges.
func (w *swap) stoppedStays(t *testing.T, p *packager) {
	w.m.must("systemctl", "stop", "ldirectord")
	for _, file := range []string{p.newer, p.ours} {
		p.dpkg("-i", file)
		w.isStopped(t, file)
	}
	p.dpkg("-i", p.perl) // Debian's script starts what is enabled
	w.m.must("systemctl", "disable", "ldirectord")
	w.m.must("systemctl", "stop", "ldirectord")
	p.dpkg("-i", p.ours)
	w.isStopped(t, "the upgrade of a Perl daemon that is stopped")
	if out, status := w.m.run("systemctl", "is-enabled", "ldirectord"); status == 0 {
		t.Errorf("an upgrade has enabled a unit that was disabled: %s", out)
	}
	p.dpkg("-P", "ldirectord")
	for file := range edited {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("after the purge there is %s", file)
		}
	}
	if left, _ := filepath.Glob("/var/lib/ldirectord*"); len(left) > 0 {
		t.Errorf("after the purge there is %q", left)
	}
	if table := w.Table(); table != "" {
		t.Errorf("the table in the end:\n%s", table)
	}
}

// isStopped sees that no daemon runs.
func (w *swap) isStopped(t testing.TB, after string) {
	t.Helper()
	if out, status := w.m.run("systemctl", "is-active", "ldirectord"); status == 0 {
		t.Errorf("after %s the unit is %s", after, out)
	}
	if out, status := w.m.run("pgrep", "-f", "[l]directord.* start$"); status == 0 {
		t.Errorf("after %s there is a daemon: %s", after, out)
	}
}
