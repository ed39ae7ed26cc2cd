package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestEmptyIsNotAll gives options and arguments that are empty, as a script does
// whose variable is not set, and durations and numbers of 0. None of them means
// the same as to leave it out.
func TestEmptyIsNotAll(t *testing.T) {
	const real = "10.1.0.1"
	tests := [][]string{
		{"drain", real, "--virtual", ""},
		{"drain", ""},
		{"drain", " "},
		{"disable", real, "--virtual="},
		{"enable", real, "--virtual="},
		{"drain", real, "--for", "0s"},
		{"drain", real, "--for=0"},
		{"disable", real, "--for", "-1h"},
		{"weight", real, "3", "--for", "0s"},
		{"drain", real, "--wait=0s"},
		{"drain", real, "--comment="},
		{"weight", real, ""},
		{"show", "--virtual="},
		{"show", "--real="},
		{"history", "--virtual="},
		{"history", ""},
		{"history", "--limit", "0"},
		{"history", "--limit=-1"},
		{"why", ""},
		{"why", real, "--virtual="},
		{"recheck", ""},
		{"recheck", "--virtual="},
		{"doctor", "--vip="},
		{"doctor", "--vip", "10.0.0.1,"},
		{"doctor", "--vip", "10.0.0.1", "--dev="},
		{"host", "director", "status", "--dev="},
		{"host", "director", "status", "--prefix", "0"},
		{"host", "director", "status", "--masquerade="},
		{"host", "realserver", "status", "--vip", "10.0.0.1", "--gateway="},
		{"host", "realserver", "status", "--vip", "10.0.0.1", "--mode="},
	}
	for _, words := range tests {
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			dir := t.TempDir()
			status := Main(Env{Args: append([]string{"ldirectord"}, words...), RunDir: dir, StateDir: dir, Stdout: &stdout, Stderr: &stderr})
			if status != exitUsage || strings.Contains(stderr.String(), "not running") {
				t.Errorf("exit status %d, want %d (usage): %s", status, exitUsage, stderr.String())
			}
			if !strings.Contains(stderr.String(), "leave it out") && !strings.Contains(stderr.String(), "usage:") {
				t.Errorf("no cure is named: %s", stderr.String())
			}
		})
	}
}
