//go:build long

package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// debContents are the files of the Debian package.
const debContents = `
/etc/default/ldirectord
/etc/ha.d/ldirectord.cf
/etc/ha.d/resource.d/ldirectord
/etc/init.d/ldirectord
/etc/logrotate.d/ldirectord
/etc/logrotate.d/ldirectord-monitor
/usr/lib/systemd/system/ldirectord-director.service
/usr/lib/systemd/system/ldirectord-realserver@.service
/usr/lib/systemd/system/ldirectord.service
/usr/sbin/ldirectord
/usr/share/bash-completion/completions/ldirectord
/usr/share/doc/ldirectord/THIRD-PARTY.gz
/usr/share/doc/ldirectord/changelog.Debian.gz
/usr/share/doc/ldirectord/changelog.gz
/usr/share/doc/ldirectord/checks.md
/usr/share/doc/ldirectord/cluster-dr.svg
/usr/share/doc/ldirectord/cluster-nat.svg
/usr/share/doc/ldirectord/cluster-tun.svg
/usr/share/doc/ldirectord/cluster.md
/usr/share/doc/ldirectord/compatibility.md
/usr/share/doc/ldirectord/copyright
/usr/share/doc/ldirectord/examples/bird/bird.conf
/usr/share/doc/ldirectord/examples/bird/fallback.conf
/usr/share/doc/ldirectord/examples/bird/ldirectord.cf
/usr/share/doc/ldirectord/examples/bird/metric
/usr/share/doc/ldirectord/examples/bird/router.conf
/usr/share/doc/ldirectord/examples/frr/frr.conf
/usr/share/doc/ldirectord/examples/frr/ldirectord.cf
/usr/share/doc/ldirectord/examples/frr/metric
/usr/share/doc/ldirectord/examples/gobgp/announce
/usr/share/doc/ldirectord/examples/gobgp/gobgpd.conf
/usr/share/doc/ldirectord/examples/gobgp/ldirectord.cf
/usr/share/doc/ldirectord/examples/keepalived/keepalived.conf
/usr/share/doc/ldirectord/examples/keepalived/ldirectord.cf
/usr/share/doc/ldirectord/examples/ldirectord.cf
/usr/share/doc/ldirectord/examples/ldirectord.cf.gz
/usr/share/doc/ldirectord/examples/pacemaker/announce
/usr/share/doc/ldirectord/examples/pacemaker/clone.xml
/usr/share/doc/ldirectord/examples/pacemaker/corosync.conf
/usr/share/doc/ldirectord/examples/pacemaker/group.xml
/usr/share/doc/ldirectord/examples/pacemaker/ldirectord.cf
/usr/share/doc/ldirectord/first-lvs.md
/usr/share/doc/ldirectord/json.md
/usr/share/doc/ldirectord/migration.md
/usr/share/doc/ldirectord/monitoring.md
/usr/share/doc/ldirectord/monitoring/alerts.yml
/usr/share/doc/ldirectord/monitoring/grafana.json
/usr/share/doc/ldirectord/monitoring/openapi.yaml
/usr/share/doc/ldirectord/monitoring/status-dark.png
/usr/share/doc/ldirectord/monitoring/status-light.png
/usr/share/doc/ldirectord/monitoring/status-lost.png
/usr/share/doc/ldirectord/reference.md
/usr/share/doc/ldirectord/scale-out.md
/usr/share/doc/ldirectord/troubleshooting.md
/usr/share/fish/vendor_completions.d/ldirectord.fish
/usr/share/ldirectord/strict.conf
/usr/share/ldirectord/user.conf
/usr/share/lintian/overrides/ldirectord
/usr/share/man/man5/ldirectord.cf.5.gz
/usr/share/man/man8/ldirectord.8.gz
/usr/share/zsh/vendor-completions/_ldirectord
`

// ofRPM makes the list of the RPM package out of that of the Debian package.
var ofRPM = strings.NewReplacer(
	"/etc/init.d/ldirectord\n", "",
	"/etc/logrotate.d/ldirectord-monitor\n", "",
	"/usr/share/doc/ldirectord/examples/ldirectord.cf.gz\n", "",
	"/usr/lib/systemd/system/ldirectord-director.service\n", "/usr/lib/ocf/resource.d/heartbeat/ldirectord\n/usr/lib/systemd/system/ldirectord-director.service\n",
	"/usr/share/doc/ldirectord/changelog.Debian.gz\n", "",
	"/usr/share/doc/ldirectord/copyright\n", "",
	"/usr/share/ldirectord/user.conf\n", "/usr/share/ldirectord/user.conf\n/usr/share/licenses/ldirectord/LICENSE\n",
	"/usr/share/lintian/overrides/ldirectord\n", "",
	"vendor-completions/_ldirectord", "site-functions/_ldirectord",
)

// files are the lines of a list without directories, sorted.
func files(list string) (names []string) {
	for line := range strings.Lines(list) {
		name := strings.TrimPrefix(strings.TrimSpace(line), ".")
		if name != "" && !strings.HasSuffix(name, "/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// packages makes the packages in a directory of its own.
func packages(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("OUT", dir)
	if ok, out := makeIn(t, root, "packages"); !ok {
		t.Fatal(out)
	}
	return dir
}

func one(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

// TestLongPackages makes all packages twice, byte for byte the same, and looks
// into them.
func TestLongPackages(t *testing.T) {
	lab.Need(t, "lintian", "rpm", "rpmlint", "cpio")
	dir := packages(t)
	sums := func(dir string) string {
		text, err := os.ReadFile(dir + "/SHA256SUMS")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(sums(dir), sums(packages(t))); diff != "" {
		t.Errorf("made again, the packages differ:\n%s", diff)
	}
	for _, name := range []string{
		"ldirectord_*_amd64.deb", "ldirectord_*_arm64.deb", "ldirectord-small_*_amd64.deb", "ldirectord-small_*_arm64.deb",
		"ldirectord-[0-9]*.x86_64.rpm", "ldirectord-[0-9]*.aarch64.rpm", "ldirectord-small-*.x86_64.rpm", "ldirectord-small-*.aarch64.rpm", "ldirectord.cdx.json",
	} {
		one(t, dir+"/"+name)
	}
	t.Run("deb", func(t *testing.T) { testDeb(t, one(t, dir+"/ldirectord_*_amd64.deb")) })
	t.Run("rpm", func(t *testing.T) { testRPM(t, one(t, dir+"/ldirectord-[0-9]*.x86_64.rpm")) })
	t.Run("rpm's scriptlets", func(t *testing.T) { testRPMRoot(t, one(t, dir+"/ldirectord-[0-9]*.x86_64.rpm")) })
	t.Run("small", func(t *testing.T) {
		if out := output(t, "dpkg-deb", "-f", one(t, dir+"/ldirectord-small_*_amd64.deb"), "Provides", "Conflicts"); !strings.Contains(out, "Provides: ldirectord (= 2:") ||
			!strings.Contains(out, "Conflicts: ldirectord\n") {
			t.Errorf("ldirectord-small:\n%s", out)
		}
	})
}

func testDeb(t *testing.T, deb string) {
	if diff := cmp.Diff(files(debContents), files(output(t, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar t`, deb))); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("/etc/default/ldirectord\n/etc/ha.d/ldirectord.cf\n/etc/init.d/ldirectord\n/etc/logrotate.d/ldirectord\n/etc/logrotate.d/ldirectord-monitor\n",
		output(t, "dpkg-deb", "-I", deb, "conffiles")); diff != "" {
		t.Errorf("conffiles (-want +got):\n%s", diff)
	}
	testConffiles(t, deb)
	output(t, "dpkg", "--compare-versions", strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, "Version")), "gt", "1:4.12.0-2")
	if scripts := output(t, "dpkg-deb", "-I", deb, "postinst", "prerm"); strings.Contains(scripts, " start ") || !strings.Contains(scripts, "try-restart") {
		t.Errorf("the maintainer scripts start what was stopped:\n%s", scripts)
	}
	if out := output(t, "lintian", "--allow-root", "--fail-on", "error,warning", deb); strings.TrimSpace(out) != "" {
		t.Errorf("lintian:\n%s", out)
	}
}

// testConffiles compares the configuration files with those of the Perl daemon's package:
// dpkg prompts for an edited file only if the new package brings another one.
func testConffiles(t *testing.T, deb string) {
	dir := t.TempDir()
	output(t, "dpkg-deb", "-x", deb, dir)
	const theirs = `apt-get -qq download "ldirectord=1:4.12.0-2" && dpkg-deb -x ldirectord_*.deb theirs`
	output(t, "sh", "-c", "cd \"$0\" && "+theirs, dir)
	for _, file := range []string{"/etc/ha.d/ldirectord.cf", "/etc/default/ldirectord", "/etc/logrotate.d/ldirectord"} {
		want, wantErr := os.ReadFile(dir + "/theirs" + file)
		got, err := os.ReadFile(dir + file)
		if wantErr != nil || err != nil || string(got) != string(want) {
			t.Errorf("%s is %q, want %q; %v, %v", file, got, want, err, wantErr)
		}
	}
}

func testRPM(t *testing.T, rpm string) {
	list := output(t, "rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", rpm)
	var names strings.Builder
	for line := range strings.Lines(list) {
		if perms, name, _ := strings.Cut(line, " "); perms[0] != 'd' {
			names.WriteString(name)
		}
	}
	if diff := cmp.Diff(files(ofRPM.Replace(debContents)), files(names.String())); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	relations := output(t, "rpm", "-qp", "--provides", "--obsoletes", "--scripts", "--qf", "%{EPOCH} %{BUILDHOST}\n", rpm)
	for _, want := range []string{"ldirectord = 2:", "heartbeat-ldirectord < 2:", "2 localhost\n", "try-restart ldirectord.service"} {
		if !strings.Contains(relations, want) {
			t.Errorf("no %q in\n%s", want, relations)
		}
	}
	// The names in the package's archive are absolute. rpmlint unpacks it with
	// cpio, which as root would write to this machine's own files.
	bin := t.TempDir()
	if err := os.WriteFile(bin+"/cpio", []byte("#!/bin/sh\nexec /usr/bin/cpio --no-absolute-filenames \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	if path, err := exec.LookPath("cpio"); err != nil || path != bin+"/cpio" {
		t.Fatalf("rpmlint would unpack with %s, %v", path, err)
	}
	// Not errors of ours: it has no signature, Go programs are static, and /var/log
	// belongs to every system.
	others := regexp.MustCompile(`: E: (no-signature|statically-linked-binary|logrotate-log-dir-not-packaged /var/log)`)
	out, _ := exec.CommandContext(t.Context(), "rpmlint", rpm).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, ": E: ") && !others.MatchString(line) {
			t.Error(line)
		}
	}
}
