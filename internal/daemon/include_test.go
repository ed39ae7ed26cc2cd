package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAutoReloadIncluded has files come, change and go in an included directory. A file
// that is half written, or gone for a moment, changes nothing; a mistake is reported with
// the file that it is in.
func TestAutoReloadIncluded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.cf")
	part := func(name string) string { return filepath.Join(dir, "conf.d", name+".cf") }
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, path, "supervised=yes\nmonitorlog=none\ncheckinterval=1\nautoreload=yes\ninclude = conf.d/*.cf\n")
	const one, two = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n", "virtual=10.0.0.2:80\n    real=10.1.0.2:80 masq\n"
	write(t, part("a"), one)
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		d, table, stop := runFake(t, path, &out)
		wait := func(when string, pause time.Duration, want int, faults ...string) {
			t.Helper()
			time.Sleep(pause)
			synctest.Wait()
			if got := realsIn(t, table); got != want {
				t.Errorf("%s: %d real servers are in service, want %d", when, got, want)
			}
			var got []string
			for _, f := range d.outside.list() {
				_, text, _ := strings.Cut(strings.ReplaceAll(f.String(), dir, "DIR"), " reading file ")
				if text == "" {
					text = strings.ReplaceAll(f.String(), dir, "DIR")
				}
				got = append(got, text)
			}
			if strings.Join(got, "\n") != strings.Join(faults, "\n") {
				t.Errorf("%s: what is wrong outside is %q, want %q", when, got, faults)
			}
		}
		wait("at first", 10*time.Second, 1)
		write(t, part("b"), two)
		wait("a second file", 10*time.Second, 2)
		write(t, part("b"), "")
		wait("the second is truncated", 10*time.Second, 2, "a change of DIR/t.cf is not taken: DIR/conf.d/b.cf is empty")
		write(t, part("b"), two+"    frob=1\n")
		wait("the second has a mistake", 10*time.Second, 2, `DIR/conf.d/b.cf at line 3: Unknown command "    frob=1 "`)
		write(t, part("b"), two)
		wait("the second is as it was", 10*time.Second, 2)
		rename(t, part("a"), part("a")+"~")
		wait("the first is moved away for a moment", 6*time.Second, 2)
		write(t, part("a"), one+"    real=10.1.0.3:80 masq\n")
		wait("the first has one more", 10*time.Second, 3)
		if err := os.Remove(part("b")); err != nil {
			t.Fatal(err)
		}
		wait("the second is removed", 20*time.Second, 2)
		const gone = "DIR/conf.d cannot be checked for changes: it cannot be read"
		rename(t, dir+"/conf.d", dir+"/away")
		wait("the directory is away", time.Minute, 2, gone)
		write(t, dir+"/conf.d", "")
		wait("a file is in its place", time.Minute, 2, gone)
		if err := os.Remove(dir + "/conf.d"); err != nil {
			t.Fatal(err)
		}
		rename(t, dir+"/away", dir+"/conf.d")
		wait("the directory is back", 20*time.Second, 2)
		write(t, path, "supervised=yes\nmonitorlog=none\ncheckinterval=1\nautoreload=yes\ninclude = conf.d/nosuch.cf\n")
		wait("a plain file that there is not", 10*time.Second, 2, "DIR/t.cf at line 5: included file DIR/conf.d/nosuch.cf cannot be read: No such file or directory")
		stop()
	})
	log := strings.ReplaceAll(out.String(), dir, "DIR")
	for line, times := range map[string]int{
		"Configuration file 'DIR/conf.d/a.cf' has changed on disk": 1,
		"Configuration file 'DIR/conf.d/b.cf' has changed on disk": 4,
		"Configuration file 'DIR/t.cf' has changed on disk":        1,
	} {
		if got := strings.Count(log, line); got != times {
			t.Errorf("the log has %q %d times, want %d:\n%s", line, got, times, log)
		}
	}
}
