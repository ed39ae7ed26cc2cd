package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServedWithoutDaemon has served say that no daemon runs, as show does.
func TestServedWithoutDaemon(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.cf")
	write(t, file, "logfile=\""+dir+"/log\"\nvirtual=10.0.0.80:80\n    real=10.1.0.1:80 gate\n")
	for _, tt := range []struct {
		args   string
		status int
		has    string
	}{
		{"show", exitStopped, "is not running"},
		{"served", exitStopped, "is not running"},
		{"served 10.0.0.80", exitStopped, "is not running"},
		{"served www", exitFailed, `"www" is no address`},
		{"withdraw 10.0.0.80", exitStopped, "is not running"},
	} {
		var out, errs lockedBuffer
		status := Main(Env{
			Args: append([]string{"ldirectord", file}, strings.Fields(tt.args)...), Stdout: &out, Stderr: &errs, RunDir: dir, StateDir: dir,
			Signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
		})
		if text := out.String() + errs.String(); status != tt.status || !strings.Contains(text, tt.has) {
			t.Errorf("%s: exit status %d, %q: want %d and %q", tt.args, status, text, tt.status, tt.has)
		}
	}
}
