package importer

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// theKeepalived is the program that judges the samples.
const theKeepalived = "/usr/sbin/keepalived"

// needKeepalived installs keepalived if this may be done.
func needKeepalived(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(theKeepalived); err != nil {
		lab.Need(t, "keepalived")
	}
}

// accepted are complaints of keepalived about what it reads all the same: defaults, scripts and devices that
// this host does not have, and keywords that are newer than version 2.2.
var accepted = regexp.MustCompile(`has no real servers|no (protocol|scheduler|forwarding method) set|^SECURITY VIOLATION|^Configuration test|^WARNING|^Warning|is deprecated|zero port only valid for persistent|^$|reducing quorum|; setting hysteresis|\(V\) |Unknown keyword '(sni_name|tls_compliant)'`)

// faultsOf returns what keepalived says of a configuration, each complaint once.
func faultsOf(t *testing.T, dir, text string) (faults []string) {
	t.Helper()
	path := filepath.Join(dir, "keepalived.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil { // keepalived appends to it
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), eventually.Limit)
	defer cancel()
	command := exec.CommandContext(ctx, theKeepalived, "--check", "--config-id", "main", "--use-file", path, "--config-test="+filepath.Join(dir, "log"))
	_ = command.Run() // its exit status is 5 with a default, too
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		line = strings.TrimSpace(strings.ReplaceAll(timeOfLog.ReplaceAllString(line, ""), path+": ", ""))
		if !accepted.MatchString(line) && !slices.Contains(faults, line) {
			faults = append(faults, line)
		}
	}
	return faults
}

var timeOfLog = regexp.MustCompile(`^\w{3} \w{3} [ \d]\d [\d:]+ \d{4}: `)

// TestSamplesAreKeepalived has keepalived read the samples of the other tests: what it accepts is its
// language, and what it refuses the importer does not carry over in silence.
func TestSamplesAreKeepalived(t *testing.T) {
	needKeepalived(t)
	for _, tests := range []map[string]importTest{keepalivedTests, oddityTests, checkerTests, policyTests} {
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			t.Run(name, func(t *testing.T) {
				tt := tests[name]
				if tt.endless {
					return
				}
				faults := faultsOf(t, t.TempDir(), tt.text)
				tt.refusedAs(t, faults)
			})
		}
	}
}

var faultLine = regexp.MustCompile(`Line (\d+)\)`)

// refusedAs wants what keepalived said of a sample to be what the test expects, and a note of a loss at
// each line that keepalived names.
func (tt importTest) refusedAs(t *testing.T, faults []string) {
	t.Helper()
	r, err := Import(tt.text, Source{ID: "main"})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		if !slices.ContainsFunc(tt.refused, func(want string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("keepalived refuses it: %s\n%s", fault, tt.text)
		}
		if m := faultLine.FindStringSubmatch(fault); m != nil && !tt.elsewhere && !strings.Contains(strings.Join(r.Notes, "\n")+"\n", "line "+m[1]+":") {
			t.Errorf("the importer says nothing of %s\n%s", fault, strings.Join(r.Notes, "\n"))
		}
	}
	for _, want := range tt.refused {
		if !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("keepalived does not say %q, but %q", want, faults)
		}
	}
	if len(tt.refused) > 0 && !r.Lost {
		t.Errorf("keepalived refuses it, and the importer lost nothing: %q", faults)
	}
}
