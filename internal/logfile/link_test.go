package logfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLinksOfOthersAreNotFollowed has, in a directory of another user, links to
// a file of root's as log, monitor log and monitorfile.
func TestLinksOfOthersAreNotFollowed(t *testing.T) {
	lab.Root(t, "files of other users")
	victim, theirs := filepath.Join(t.TempDir(), "shadow"), filepath.Join(t.TempDir(), "theirs")
	if err := errors.Join(os.WriteFile(victim, []byte("root\n"), 0o600), os.Mkdir(theirs, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log", "monitor", "checks"} {
		if err := os.Symlink(victim, filepath.Join(theirs, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	v := &conf.VirtualService{Alert: conf.Alert{MonitorFile: theirs + "/checks"}}
	var stderr bytes.Buffer
	l := New(Options{Name: "t", Stderr: &stderr, Stdout: &stderr, Syslog: t.TempDir() + "/none"}, &conf.Config{Logs: conf.Logs{LogFile: theirs + "/log", MonitorLog: theirs + "/monitor"}, Virtuals: []*conf.VirtualService{v}})
	l.Printf("a line")
	l.Event(event.Event{Kind: event.Gone, Time: time.Now(), Virtual: v, V: "10.0.0.1:80", R: "10.1.0.1:80", ID: "tcp:10.0.0.1:80"})
	l.Checked(event.Checked{Time: time.Now(), Virtual: v, Real: &conf.RealServer{}, Up: true})
	l.Close()
	if text, err := os.ReadFile(victim); err != nil || string(text) != "root\n" {
		t.Errorf("root's file has %q, %v", text, err)
	}
	if !strings.Contains(stderr.String(), "symbolic link") {
		t.Errorf("the complaint is %q", stderr.String())
	}
}
