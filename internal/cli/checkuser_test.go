package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestExplainUserAndStop has the lines of check --explain about checkuser and stopcommands.
func TestExplainUserAndStop(t *testing.T) {
	const user, stop, down = "run as the user nobody\n", "fallbackcommand is run with stop", "quorumcommand is run with down"
	const block = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	tests := []struct {
		file       string
		user, stop bool
		down       bool
	}{
		{block, false, false, false},
		{"checkuser=nobody\n" + block, false, false, false},
		{"checkuser=nobody\nfallbackcommand=/bin/true\n" + block, true, false, false},
		{"fallbackcommand=/bin/true\nstopcommands=yes\n" + block, false, true, false},
		{"stopcommands=yes\n" + block, false, false, false},
		{"fallbackcommand=/bin/true\nstopcommands=yes\ncleanstop=no\n" + block, false, false, false},
		{"quorum=1\nquorumcommand=/bin/true\nstopcommands=yes\n" + block, false, false, true},
		{"quorumcommand=/bin/true\nstopcommands=yes\n" + block, false, false, false},
		{"quorum=1\nquorumcommand=/bin/true\n" + block, false, false, false},
	}
	for _, tt := range tests {
		text := explanation(parsed(t, tt.file))
		if strings.Contains(text, user) != tt.user || strings.Contains(text, stop) != tt.stop || strings.Contains(text, down) != tt.down {
			t.Errorf("of the file\n%scheck --explain prints\n%s", tt.file, text)
		}
	}
}

// TestCheckUser is what check prints of commands and the user that runs them.
func TestCheckUser(t *testing.T) {
	lab.Root(t, "files of other users")
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	program := func(name string, mode os.FileMode, owner int) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600), os.Chmod(path, mode), os.Chown(path, owner, 0)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all, roots, unread, own := program("all", 0o755, 0), program("roots", 0o700, 0), program("unread", 0o711, 0), program("own", 0o700, 65534)
	nameless := program("nameless", 0o711, 0)
	if err := os.WriteFile(nameless, []byte("exit 0\n"), 0o711); err != nil {
		t.Fatal(err)
	}
	binary := program("binary", 0o711, 0)
	if err := os.WriteFile(binary, []byte("\x7fELF\x02\x01\x01"), 0o711); err != nil {
		t.Fatal(err)
	}
	lame := program("lame", 0o600, 0)
	const note = "the daemon's user, which is root by default"
	closed := func(directive, path string) string {
		return directive + " " + path + " cannot be run by nobody, the user of checkuser: " + path + " is closed to it"
	}
	tests := []struct {
		name, global, block string
		warning, note       string // "" is none
	}{
		{"no commands", "", "", "", ""},
		{"checkuser without commands", "checkuser=nobody\n", "", "", ""},
		{"an external check", "", "\tchecktype=external\n\tcheckcommand=" + all + "\n", "", "note: external checks run as " + note},
		{"a fallbackcommand", "", "\tfallbackcommand=" + all + "\n", "", "note: fallbackcommand runs as " + note},
		{"both commands", "notifycommand=" + all + "\n", "\tfallbackcommand=" + all + "\n", "", "note: fallbackcommand and notifycommand run as " + note},
		{"all commands", "notifycommand=" + all + "\n", "\tchecktype=external\n\tcheckcommand=" + all + "\n\tfallbackcommand=" + all + "\n", "", "note: external checks, fallbackcommand and notifycommand run as " + note},
		{"callback", "callback=\"" + all + "\"\n", "", "", ""},
		{"a check as nobody", "checkuser=nobody\n", "\tchecktype=external\n\tcheckcommand=" + all + "\n", "", ""},
		{"a check for root alone", "checkuser=nobody\n", "\tchecktype=external\n\tcheckcommand=" + roots + "\n", closed("checkcommand", roots), ""},
		{"a script that cannot be read", "checkuser=nobody\n", "\tchecktype=external\n\tcheckcommand=" + unread + "\n", closed("checkcommand", unread), ""},
		{"a script for /bin/sh that cannot be read", "checkuser=nobody\n", "\tchecktype=external\n\tcheckcommand=" + nameless + "\n", closed("checkcommand", nameless), ""},
		{"a program that cannot be read", "checkuser=nobody\n", "\tchecktype=external\n\tcheckcommand=" + binary + "\n", "", ""},
		{"Perl that cannot be read", "checkuser=nobody\n", "\tchecktype=external-perl\n\tcheckcommand=" + unread + "\n", closed("checkcommand", unread), ""},
		{"a notifycommand for root alone", "checkuser=nobody\nnotifycommand=" + roots + " -x\n", "", closed("notifycommand", roots), ""},
		{"a callback for root alone", "checkuser=nobody\ncallback=\"" + roots + "\"\n", "", "", ""},
		{"a program that is not executable", "checkuser=nobody\n", "\tchecktype=external\n\tcheckcommand=" + lame + "\n", "cannot be run: it is not executable", ""},
		{"its own program", "checkuser=nobody\nnotifycommand=" + own + "\n", "", "", ""},
		{"root runs another's program", "notifycommand=" + own + "\n", "", own + " can be changed by its owner, the user 65534, and root runs it", "note"},
		{"another's callback", "checkuser=nobody\ncallback=\"" + own + "\"\n", "", own + " can be changed by its owner, the user 65534, and root runs it", ""},
		{"another's vipcommand", "checkuser=nobody\nvipcommand=\"" + own + "\"\n", "", own + " can be changed by its owner, the user 65534, and root runs it", ""},
		{"a vipcommand for root alone", "checkuser=nobody\nvipcommand=\"" + roots + "\"\n", "", "", ""},
		{"another's program", "checkuser=daemon\nnotifycommand=" + own + "\n", "", own + " can be changed by its owner, the user 65534, and the user daemon runs it", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, "t.cf")
			text := "monitorlog=none\nlogfile=\"local0\"\n" + tt.global + "virtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n" + tt.block
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			status := Main(Env{Args: []string{"ldirectord", path, "check"}, Stdout: &stdout, Stderr: &stderr, RunDir: dir, StateDir: dir})
			if got := stderr.String(); !strings.Contains(got, tt.warning) || tt.warning == "" && got != "" {
				t.Errorf("the warnings are %q, want %q", got, tt.warning)
			} else if n := strings.Count(got, path+":"); n > 2 { // the warning, and their number
				t.Errorf("there is more than one warning: %s", got)
			}
			if got := stdout.String(); !strings.Contains(got, tt.note) || tt.note == "" && strings.Contains(got, "note") {
				t.Errorf("the output is %q, want the note %q", got, tt.note)
			}
			if good := strings.Contains(stdout.String(), "no mistakes"); status != 0 || good != (tt.warning == "") {
				t.Errorf("exit status %d, no mistakes: %t", status, good)
			}
		})
	}
}
