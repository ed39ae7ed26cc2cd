package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// exposure is what "systemd-analyze security" says of a unit file, 0 to 10.
func exposure(t *testing.T, file string) float64 {
	t.Helper()
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", file).CombinedOutput()
	m := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("systemd-analyze security %s: %v\n%s", file, err, out)
	}
	level, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return level
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The units are what systemd takes without a word. The default one is no threat
// to commands that worked under the original; strict.conf is for files that
// run none.
func TestUnits(t *testing.T) {
	lab.Need(t, "systemd")
	dir := t.TempDir()
	program := filepath.Join(dir, "ldirectord")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.service")
	if err != nil || len(files) == 0 {
		t.Fatal("no units", err)
	}
	var copies []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		unit := strings.ReplaceAll(string(text), "/usr/sbin/ldirectord", program)
		unit = strings.ReplaceAll(unit, "Documentation=file:/usr/share/doc", "Documentation=file:"+dir) // not installed
		copies = append(copies, filepath.Join(dir, file))
		if err := os.WriteFile(copies[len(copies)-1], []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, copies...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	unit := filepath.Join(dir, "ldirectord.service")
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	// java, node, setuid mailers and sudo; commands that write files; hostsetup.
	for _, harm := range []string{"MemoryDenyWriteExecute=", "NoNewPrivileges=", "ProtectSystem=", "ProtectHome=", "PrivateTmp=", "ProtectKernelTunables=", "PrivateDevices="} {
		if regexp.MustCompile(`(?m)^` + harm).Match(text) {
			t.Errorf("ldirectord.service has %s, which breaks commands", harm)
		}
	}
	if level := exposure(t, unit); level > 5.0 {
		t.Errorf("ldirectord.service: exposure %.1f, want at most 5.0", level)
	}
	if err := os.Mkdir(unit+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "strict.conf", unit+".d/strict.conf")
	if level := exposure(t, unit); level > 3.7 {
		t.Errorf("with strict.conf: exposure %.1f, want at most 3.7", level)
	}
	copyFile(t, "user.conf", unit+".d/strict.conf")
	if level := exposure(t, unit); level > 3.7 {
		t.Errorf("with user.conf: exposure %.1f, want at most 3.7", level)
	}
}

// TestUnitMayChangeUsers wants the rights that checkuser needs in the default unit.
func TestUnitMayChangeUsers(t *testing.T) {
	text, err := os.ReadFile("ldirectord.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, right := range []string{"CAP_SETUID", "CAP_SETGID", "CAP_KILL"} {
		if !regexp.MustCompile(`(?m)^CapabilityBoundingSet=.*\b` + right + `\b`).Match(text) {
			t.Errorf("ldirectord.service lacks %s: commands cannot run as another user, or not be ended", right)
		}
	}
}
