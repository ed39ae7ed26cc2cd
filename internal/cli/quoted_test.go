package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// TestQuotesArePlain has a line of a file quoted that would steer a terminal, or fill it.
func TestQuotesArePlain(t *testing.T) {
	for name, line := range map[string]string{
		"an escape sequence": "foo=\x1b[2J\x1b]0;title\x07",
		"a carriage return":  "foo=1\rall is well",
		"a long line":        strings.Repeat("x", 1<<20) + "=1",
		"a long value":       "virtual=" + strings.Repeat("1", 1<<20) + ":80",
		"a long warning":     "checkinterval=1" + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.cf")
			text := line + "\nvirtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n\tfoo=\x1b[1m\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, problems := conf.CheckFile(path, []byte(text), conf.Options{})
			_, err := conf.Parse(path, []byte(text), conf.Options{})
			for _, output := range []string{problemText(problems), diagnosis(err)} {
				for printed := range strings.Lines(output) {
					if strings.ContainsFunc(strings.TrimSuffix(strings.ReplaceAll(printed, "\t", " "), "\n"), safetext.Misleads) {
						t.Errorf("a line with control characters: %.200q", printed)
					}
					if len(printed) > 1000 {
						t.Errorf("a line of %d bytes: %.200q", len(printed), printed)
					}
				}
			}
		})
	}
}
