package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestDoctorOptions gives the doctor options that would have no effect.
func TestDoctorOptions(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"--dev eth0", "--dev needs --vip ADDRESS: without it the director is examined"},
		{"--mode gate", "--mode needs --vip ADDRESS: without it the director is examined"},
		{"--mode ipip --dev tunl0", "--dev needs --vip ADDRESS: without it the director is examined"},
		{"--gateway 10.0.0.1", "--gateway belongs to --mode masq, not to --mode gate"},
		{"--gateway 10.0.0.1 --vip 10.0.0.80", "--gateway belongs to --mode masq, not to --mode gate"},
		{"--mode masq --vip 10.0.0.80", "--vip cannot be combined with --mode masq: such a real server has no virtual address"},
		{"--mode masq --dev eth0", "--dev cannot be combined with --mode masq: such a real server has no virtual address"},
		{"--vip 0.0.0.0", "vip cannot be 0.0.0.0, which no client reaches"},
		{"--vip ::", "vip cannot be ::, which no client reaches"},
		{"--vip 127.0.0.1", "vip cannot be 127.0.0.1, which no client reaches"},
		{"--vip ::ffff:127.0.0.1", "vip cannot be ::ffff:127.0.0.1, which no client reaches"},
		{"--vip 10.0.0.80,224.0.0.1", "vip cannot be 224.0.0.1, which no client reaches"},
		{"--vip fe80::1%eth0", "vip cannot be fe80::1%eth0, which no client reaches"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			dir := t.TempDir()
			status := Main(Env{Args: append([]string{"ldirectord", "doctor"}, strings.Fields(tt.line)...), RunDir: dir, StateDir: dir, Stdout: &stdout, Stderr: &stderr})
			if got := strings.TrimSpace(stderr.String()); status != exitUsage || got != tt.want {
				t.Errorf("exit status %d, %q; want %d, %q", status, got, exitUsage, tt.want)
			}
		})
	}
}

// TestDoctorOfRealServer gives a virtual address twice, and a device that is not there.
func TestDoctorOfRealServer(t *testing.T) {
	doctor := func(words ...string) (status int, stdout, stderr string) {
		var out, errors bytes.Buffer
		dir := t.TempDir()
		status = Main(Env{Args: append([]string{"ldirectord", "doctor"}, words...), RunDir: dir, StateDir: dir, Stdout: &out, Stderr: &errors})
		return status, out.String(), errors.String()
	}
	const missing = "the virtual address 192.0.2.80 is not on this host"
	if _, text, _ := doctor("--vip", "192.0.2.80,192.0.2.80,::ffff:192.0.2.80"); strings.Count(text, missing) != 1 {
		t.Errorf("want one finding %q:\n%s", missing, text)
	}
	if status, _, text := doctor("--vip", "192.0.2.80", "--dev", "nodev9"); status != exitFailed || !strings.HasPrefix(text, "there is no device nodev9") {
		t.Errorf("a missing device: exit status %d, %q", status, text)
	}
}
