package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestAdopt has a file that is kept for a configuration file found, and renamed, under every
// name of it, and never under another one afterwards.
func TestAdopt(t *testing.T) {
	const ending = ".overrides.json"
	home := t.TempDir()
	file, link, other, odd := filepath.Join(home, "a.cf"), filepath.Join(home, "b.cf"), filepath.Join(home, "c.cf"), filepath.Join(home, "d!%21.cf")
	err := errors.Join(os.WriteFile(file, nil, 0o644), os.Symlink(file, link), os.WriteFile(other, nil, 0o644), os.Symlink(file, odd))
	if err != nil {
		t.Fatal(err)
	}
	kept := func(name string) string { return fileName(Canonical(name)) + ending }
	for _, tt := range []struct {
		name  string
		there []string // in the directory
		as    string   // how the configuration file is named
		found string   // of there, or the name that a file would have
		left  []string
	}{
		{"nothing", nil, file, kept(file), nil},
		{"its own", []string{kept(file)}, file, kept(file), []string{kept(file)}},
		{"with its copy, by a link", []string{kept(file), CopyOf(kept(file))}, link, kept(file), []string{kept(link), CopyOf(kept(link))}},
		{"of a link with signs", []string{kept(odd)}, file, kept(odd), []string{kept(file)}},
		{"of another file", []string{kept(other)}, file, kept(file), []string{kept(other)}},
		{"of an earlier version", []string{"a.cf" + ending, CopyOf("a.cf" + ending)}, file, "a.cf" + ending, []string{kept(file), CopyOf(kept(file))}},
		{"its own counts", []string{kept(file), kept(link), "a.cf" + ending}, file, kept(file), []string{kept(file), kept(link), "a.cf" + ending}},
		{"a link's before an earlier version's", []string{kept(link), "a.cf" + ending}, file, kept(link), []string{kept(file), "a.cf" + ending}},
		{"a copy alone does not count", []string{CopyOf("a.cf" + ending)}, file, kept(file), []string{CopyOf("a.cf" + ending)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Memory(t.TempDir())
			for _, name := range tt.there {
				if err := os.WriteFile(filepath.Join(string(m), name), []byte(name), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := m.Find(tt.as, ending, "a.cf"); got != filepath.Join(string(m), tt.found) {
				t.Errorf("found %s, want %s", filepath.Base(got), tt.found)
			}
			if err := m.Adopt(tt.as, ending, "a.cf"); err != nil {
				t.Error(err)
			}
			var left []string
			entries, _ := os.ReadDir(string(m))
			for _, e := range entries {
				left = append(left, e.Name())
			}
			if slices.Sort(tt.left); !slices.Equal(left, tt.left) {
				t.Errorf("left %q, want %q", left, tt.left)
			}
			if got := m.Find(tt.as, ending, "a.cf"); got != filepath.Join(string(m), kept(tt.as)) {
				t.Errorf("then found %s, want %s", filepath.Base(got), kept(tt.as))
			}
		})
	}
}
