package packaging

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// rotated are the logs that files of logrotate name.
func rotated(t *testing.T, files ...string) (logs []string) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for word := range strings.FieldsSeq(string(text)) {
			if strings.HasPrefix(word, "/var/log/") {
				logs = append(logs, word)
			}
		}
	}
	slices.Sort(logs)
	return logs
}

// TestLogrotate compares the logs that the two files of the Debian package rotate with those
// of the one of make install: the daemon's, and those of a normal user's daemon.
func TestLogrotate(t *testing.T) {
	want := []string{"/var/log/ipvsmonitor.log", "/var/log/ldirectord.log", "/var/log/ldirectord/*.log"}
	if got := rotated(t, "logrotate"); !slices.Equal(got, want) {
		t.Errorf("make install rotates %q, want %q", got, want)
	}
	if got := rotated(t, "deb/etc/logrotate", "deb/etc/logrotate-monitor"); !slices.Equal(got, want) {
		t.Errorf("the Debian package rotates %q, want %q", got, want)
	}
}
