package acceptance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestCases starts the program with each file of testdata/acceptance/*.txtar
// and reads the kernel's table back: what a directive means to the kernel.
//
// A case has the sections ldirectord.cf; table, as "ipvsadm -Sn" prints it when
// all real servers are in; warnings, parts of the lines that start and stop report; log, lines that come; thresholds, if there are, as
// "ipvsadm -Ln --thresholds" prints them; and stopped, the table after the end,
// if it is not empty.
func TestCases(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	s := newSite(t, lab.DR)
	lab.Cases(t, "../../testdata/acceptance/*.txtar", false, func(t *testing.T, archive *txtar.Archive) {
		sections := map[string]string{}
		for _, f := range archive.Files {
			sections[f.Name] = string(f.Data)
		}
		testCase(s.in(t), sections)
	})
}

func testCase(s *site, sections map[string]string) {
	s.Output("director", "ipvsadm", "-C")
	d := s.prepare(sections["ldirectord.cf"])
	d.reports(d.run(0, "start"), sections["warnings"])
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
	d.reports(d.run(0, "stop"), sections["warnings"])
	s.holds(sections["stopped"])
}

// reports compares what a command wrote with the parts of lines that it is to write,
// and nothing else.
func (d *daemon) reports(out, want string) {
	d.s.t.Helper()
	if want == "" && out != "" {
		d.s.t.Fatalf("a command reports:\n%s", out)
	}
	for line := range strings.Lines(want) {
		if !strings.Contains(out, strings.TrimSpace(line)) {
			d.s.t.Errorf("a command reports:\n%swant %s", out, line)
		}
	}
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
