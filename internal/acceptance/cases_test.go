package acceptance

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"ldirectord/internal/lab"
)

// TestCases starts the program with each file of testdata/acceptance/*.txtar
// and reads the kernel's table back: what a directive means to the kernel.
//
// A case has the sections ldirectord.cf; table, as "ipvsadm -Sn" prints it when
// all real servers are in; warnings, the parts of lines that start reports; log, lines that come; thresholds, if there are, as
// "ipvsadm -Ln --thresholds" prints them; and stopped, the table after the end,
// if it is not empty.
func TestCases(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	files, err := filepath.Glob("../../testdata/acceptance/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sections := map[string]string{}
			for _, f := range archive.Files {
				sections[f.Name] = string(f.Data)
			}
			testCase(s.in(t), sections)
		})
	}
}

func testCase(s *site, sections map[string]string) {
	s.Output("director", "ipvsadm", "-C")
	d := s.prepare(sections["ldirectord.cf"])
	out := d.run(0, "start")
	for line := range strings.Lines(sections["warnings"]) {
		if !strings.Contains(out, strings.TrimSpace(line)) {
			s.t.Errorf("start reports:\n%swant %s", out, line)
		}
	}
	if sections["warnings"] == "" && out != "" {
		s.t.Fatalf("start reports:\n%s", out)
	}
	s.comesToHold(sections["table"])
	s.holds(sections["table"])
	d.log.await(sorted(sections["log"])...)
	if want, ok := sections["thresholds"]; ok {
		got := s.Output("director", "ipvsadm", "-Ln", "--thresholds")
		_, got, _ = strings.Cut(got, "RemoteAddress:Port\n")
		if diff := cmp.Diff(columns(want), columns(got)); diff != "" {
			s.t.Errorf("thresholds (-want +got):\n%s", diff)
		}
	}
	d.stop()
	s.holds(sections["stopped"])
}

// columns are the words of each line.
func columns(text string) [][]string {
	var lines [][]string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, words)
		}
	}
	return lines
}
