package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// bell is a package that TestInstall makes: a service for systemd, one for
// SysV init only, and a timer.
var bell = Package{Name: "lab-bell", File: "/usr/bin/lab-bell"}

const (
	bellScript = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: NAME\n# Required-Start:\n# Required-Stop:\n" +
		"# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\ntouch /run/NAME-was-started\n"
	bellUnit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
	// As debhelper writes it, behind a pause that lets the test act.
	bellPostinst = `#!/bin/sh
set -e
echo >/run/lab-bell-begun
read go </run/lab-bell-go
for unit in lab-bell.service lab-bell.timer; do
	deb-systemd-helper unmask $unit >/dev/null || true
	deb-systemd-helper enable $unit >/dev/null
done
update-rc.d lab-bell defaults >/dev/null
update-rc.d lab-chime defaults >/dev/null
invoke-rc.d lab-chime start
invoke-rc.d lab-bell start
`
)

// makeBell makes the package and has apt-get find it, and nothing else.
func makeBell(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"deb/DEBIAN/control": "Package: lab-bell\nVersion: 1\nArchitecture: all\nMaintainer: lab <lab@localhost>\n" +
			"Installed-Size: 7\nDescription: a bell\n",
		"deb/DEBIAN/postinst":                     bellPostinst,
		"deb/usr/bin/lab-bell":                    "",
		"deb/etc/init.d/lab-bell":                 strings.ReplaceAll(bellScript, "NAME", "lab-bell"),
		"deb/etc/init.d/lab-chime":                strings.ReplaceAll(bellScript, "NAME", "lab-chime"),
		"deb/lib/systemd/system/lab-bell.service": bellUnit,
		"deb/lib/systemd/system/lab-bell.timer":   "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n",
		"apt/sources.list":                        "deb [trusted=yes] file:" + dir + " ./\n",
		"apt/sources.list.d/none":                 "",
		"apt.conf":                                fmt.Sprintf("Dir::Etc %q;\nDir::State::lists %q;\nDir::State::status %q;\nDir::Cache %q;\n", dir+"/apt", dir+"/lists", dir+"/dpkg/status", dir+"/cache"),
		"dpkg/status":                             "",
		"dpkg/updates/none":                       "",
		"dpkg/info/format":                        "1\n",

		"lists/partial/none":                        "",
		"cache/archives/partial/none":               "",
		"deb/usr/share/doc/lab-bell/changelog.test": "",
	} {
		writeFile(t, filepath.Join(dir, name), text)
	}
	output(t, "sh", "-c", `cd "$0" && dpkg-deb -Znone --root-owner-group -b deb lab-bell.deb >&2 && {
		dpkg-deb -f lab-bell.deb
		printf 'Filename: ./lab-bell.deb\nSize: %s\nSHA256: %s\n' "$(stat -c %s lab-bell.deb)" "$(sha256sum <lab-bell.deb | cut -d' ' -f1)"
	} >Packages`, dir)
	os.Remove(dir + "/dpkg/updates/none")
	t.Setenv("APT_CONFIG", dir+"/apt.conf")
	t.Setenv("DPKG_ADMINDIR", dir+"/dpkg") // the machine's own is large, which takes time here
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestInstall installs a package with services on a Debian without systemd,
// whose services SysV init would start.
func TestInstall(t *testing.T) {
	if !Inside(t) {
		return
	}
	for _, file := range []string{policy, "/bin/systemctl", "/usr/bin/systemctl"} {
		os.Remove(file) // of this throw-away copy
	}
	makeBell(t)
	before := atBoot()
	unchanged := func(when string) {
		t.Helper()
		if after := atBoot(); !slices.Equal(after, before) {
			t.Errorf("%s: at the next boot start %v, want %v", when, after, before)
		}
		for _, file := range []string{policy, journal, "/run/lab-bell-was-started", "/run/lab-chime-was-started"} {
			if _, err := os.Stat(file); err == nil {
				t.Errorf("%s: there is %s", when, file)
			}
		}
	}

	// Control-C while dpkg is at work.
	for _, fifo := range []string{"/run/lab-bell-begun", "/run/lab-bell-go"} {
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	ended := make(chan error)
	go func() { ended <- Install(t.Context(), &out, bell) }()
	output(t, "cat", "/run/lab-bell-begun")
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/run/lab-bell-go", []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "interrupt") {
		t.Errorf("Install = %v after SIGINT", err)
	}
	unchanged("after Control-C")
	for _, want := range []string{
		"missing: lab-bell\n", "1 newly installed", "After this operation, ",
		"disabled for the next boot: lab-bell.service lab-bell.timer lab-bell lab-chime\n", "apt-get autoremove --purge lab-bell\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in what was announced:\n%s", want, out.String())
		}
	}

	// A SIGKILL while dpkg is at work: apt-get goes on beside the next set-up.
	if err := beginInstallation(before); err != nil {
		t.Fatal(err)
	}
	output(t, "dpkg", "--purge", "lab-bell")
	orphan := exec.Command("apt-get", "install", "-y", "-qq", "lab-bell")
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	output(t, "cat", "/run/lab-bell-begun")
	waits, said := io.Pipe()
	go func() {
		err := Install(t.Context(), io.MultiWriter(t.Output(), said), bell)
		said.CloseWithError(err)
		ended <- err
	}()
	lines := bufio.NewScanner(waits)
	for lines.Scan() && !strings.Contains(lines.Text(), "waiting for process") {
	}
	if err := os.WriteFile("/run/lab-bell-go", []byte("go\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, waits) }()
	if err := <-ended; err != nil {
		t.Errorf("Install = %v beside the apt-get of a killed one", err)
	}
	if err := orphan.Wait(); err != nil {
		t.Errorf("apt-get: %v", err)
	}
	unchanged("after the set-up beside the apt-get of a killed one")

	// A SIGKILL before anything was undone.
	if err := beginInstallation(before); err != nil {
		t.Fatal(err)
	}
	output(t, "update-rc.d", "lab-bell", "enable")
	output(t, "env", "DPKG_MAINTSCRIPT_PACKAGE=lab-bell", "deb-systemd-helper", "enable", "lab-bell.timer")
	if slices.Equal(atBoot(), before) {
		t.Fatal("nothing was enabled")
	}
	if err := Install(t.Context(), &out, bell); err != nil {
		t.Fatal(err)
	}
	unchanged("after the set-up that followed a killed one")
}
