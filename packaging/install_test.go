package packaging

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// installedFiles are the files below dir that an installation has made, all of
// whose names have ldirectord in them.
func installedFiles(t *testing.T, dirs ...string) (files []string) {
	t.Helper()
	for _, dir := range dirs {
		out, err := exec.Command("find", dir, "(", "-type", "f", "-o", "-type", "l", ")", "-path", "*ldirectord*").Output()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, strings.Fields(string(out))...)
	}
	slices.Sort(files)
	return files
}

// TestInstall installs the built program, without a go command, on a machine
// without systemd where a package has a file of the same name.
func TestInstall(t *testing.T) {
	program := lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord")
	if !lab.Inside(t) {
		return
	}
	admin := t.TempDir()
	for name, text := range map[string]string{
		"status":      "Package: perl-director\nStatus: install ok installed\nMaintainer: lab <lab@localhost>\nArchitecture: all\nVersion: 1\nDescription: x\n",
		"info/format": "1\n", "info/perl-director.list": "/.\n/usr\n/usr/sbin\n/usr/sbin/ldirectord\n/lib/systemd/system/ldirectord.service\n/etc/logrotate.d/ldirectord\n", "updates/x": "",
	} {
		if err := os.MkdirAll(filepath.Join(admin, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(admin, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(admin + "/updates/x")
	t.Setenv("DPKG_ADMINDIR", admin)
	t.Setenv("PROGRAM", program)
	t.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") // sudo's
	for _, file := range []string{"/bin/systemctl", "/usr/bin/systemctl", "/usr/lib/systemd/system/ldirectord.service"} {
		os.Remove(file)
	}
	for _, file := range installedFiles(t, "/etc", "/usr/local") {
		os.Remove(file)
	}
	const perl = "the original\n"
	if err := os.WriteFile("/usr/sbin/ldirectord", []byte(perl), 0o755); err != nil {
		t.Fatal(err)
	}
	const settings, rotate, rotated = "/etc/default/ldirectord", "/etc/logrotate.d/ldirectord", "the package's\n"
	if err := os.WriteFile(rotate, []byte(rotated), 0o644); err != nil {
		t.Fatal(err)
	}

	ok, out := makeIn(t, root, "install")
	text, _ := os.ReadFile("/usr/sbin/ldirectord")
	if ok || !strings.Contains(out, "install: /usr/sbin/ldirectord belongs to the package perl-director\n") ||
		!strings.Contains(out, "make install FORCE=yes") || string(text) != perl || !slices.Equal(installedFiles(t, "/etc"), []string{rotate}) {
		t.Errorf("make install over a package's file passed: %v; it is %.20q:\n%s", ok, text, out)
	}

	if err := errors.Join(os.RemoveAll("/usr/local/sbin"), os.Mkdir("/usr/local/sbin", 0o755)); err != nil { // as Debian has it
		t.Fatal(err)
	}
	pages := t.TempDir()
	for _, page := range []string{"ldirectord.8", "ldirectord.cf.5"} {
		if err := os.WriteFile(filepath.Join(pages, page), []byte(".Dd today\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if ok, out = makeIn(t, root, "install", "PREFIX=/usr/local", "MANPAGES="+pages); !ok {
		t.Fatalf("make install beside the package failed:\n%s", out)
	}
	beside := installedFiles(t, "/etc", "/usr/local")
	for _, want := range []string{
		"/usr/local/sbin/ldirectord", "/etc/init.d/ldirectord", settings, "/etc/ha.d/resource.d/ldirectord",
		"/usr/local/lib/systemd/system/ldirectord.service", "/usr/local/share/ldirectord/strict.conf",
		"/usr/local/share/ldirectord/user.conf",
		"/usr/local/share/man/man8/ldirectord.8.gz", "/usr/local/share/man/man5/ldirectord.cf.5.gz",
	} {
		if !slices.Contains(beside, want) {
			t.Errorf("there is no %s among %v", want, beside)
		}
	}
	if text, _ := os.ReadFile(rotate); string(text) != rotated || !strings.Contains(out, "install: "+rotate+" belongs to the package perl-director and stays as it is\n") {
		t.Errorf("make install beside the package made its %s %q:\n%s", rotate, text, out)
	}
	for _, file := range []string{"/usr/local/lib/systemd/system/ldirectord.service", "/etc/init.d/ldirectord"} {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), "/usr/sbin/ldirectord") || !strings.Contains(string(text), "/usr/local/sbin/ldirectord") {
			t.Errorf("%s runs another program:\n%s", file, text)
		}
	}
	if err := os.WriteFile(settings, []byte("CONFIG_FILE=/etc/mine.cf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if ok, out = makeIn(t, root, "uninstall", "PREFIX=/usr/local", "MANPAGES=/nonexistent"); !ok || !slices.Equal(installedFiles(t, "/etc", "/usr/local"), []string{settings, rotate}) {
		t.Errorf("make uninstall passed: %v and left %v, want the edited %s and the package's:\n%s", ok, installedFiles(t, "/etc", "/usr/local"), settings, out)
	}
	for _, dir := range []string{"/usr/local/share/doc/ldirectord", "/usr/local/share/ldirectord"} {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("make uninstall has left %s", dir)
		}
	}
	if _, err := os.Stat("/usr/local/sbin"); err != nil {
		t.Errorf("make uninstall has removed a directory that it has not made: %v", err)
	}

	if ok, out = makeIn(t, root, "install", "FORCE=yes"); !ok {
		t.Errorf("make install FORCE=yes failed:\n%s", out)
	}
	if version, err := exec.Command("/usr/sbin/ldirectord", "--version").Output(); err != nil || !strings.Contains(string(version), "ldirectord") {
		t.Errorf("/usr/sbin/ldirectord --version: %v\n%s", err, version)
	}
	if ok, out = makeIn(t, root, "uninstall"); ok || !strings.Contains(out, "perl-director") {
		t.Errorf("make uninstall of a package's file passed: %v:\n%s", ok, out)
	}
}
