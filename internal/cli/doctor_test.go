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
