package replay

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// A session is a text case: the files of /etc/ha.d, and the actions of an
// administrator, each step a line that begins with "> ", with the expected output
// after it.
type session struct {
	t       *testing.T
	file    string
	archive *txtar.Archive
	steps   []*step
}

// A step is one action or one look.
type step struct {
	words string
	want  []string // the lines that are to be seen
	got   []string
}

const (
	prompt  = "> "
	section = "session" // of the archive, its last
)

// read reads a session.
func read(t *testing.T, file string) *session {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, file: file, archive: txtar.Parse(text)}
	last := len(s.archive.Files) - 1
	if last < 0 || s.archive.Files[last].Name != section {
		t.Fatalf("%s: the last section is not %q", file, section)
	}
	for line := range strings.Lines(string(s.archive.Files[last].Data)) {
		s.add(strings.TrimSuffix(line, "\n"))
	}
	s.archive.Files = s.archive.Files[:last]
	return s
}

// add takes in a line of the session. Lines before the first step, and those
// that begin with "#", are comments.
func (s *session) add(line string) {
	words, isStep := strings.CutPrefix(line, prompt)
	switch {
	case isStep:
		s.steps = append(s.steps, &step{words: words})
	case len(s.steps) > 0 && line != "":
		last := s.steps[len(s.steps)-1]
		last.want = append(last.want, line)
	}
}

// write replaces the expected output by the present one.
func (s *session) write() {
	s.t.Helper()
	var b strings.Builder
	for _, st := range s.steps {
		b.WriteString(prompt + st.words + "\n")
		for _, line := range st.got {
			b.WriteString(line + "\n")
		}
	}
	out := *s.archive
	out.Files = append(out.Files, txtar.File{Name: section, Data: []byte(b.String())})
	if err := os.WriteFile(s.file, txtar.Format(&out), 0o644); err != nil {
		s.t.Error(err)
	}
}
