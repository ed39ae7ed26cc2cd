package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks follows the links of the documents, in the checkout and as they are
// installed, and the names of installed files in units, settings and documents.
func TestLinks(t *testing.T) {
	stage := t.TempDir()
	program := filepath.Join(t.TempDir(), "ldirectord")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil { // it writes the completions
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "./install")
	cmd.Env = append(os.Environ(), "PROGRAM="+program, "DESTDIR="+stage, "INIT=yes", "PREFIX=/usr")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	followed := 0
	for _, pattern := range []string{root + "/*.md", root + "/docs/*.md", stage + "/usr/share/doc/ldirectord/*.md"} {
		for _, file := range glob(t, pattern) {
			for _, link := range markdownLink.FindAllStringSubmatch(read(t, file), -1) {
				followed++
				if !strings.Contains(link[1], "://") {
					followLink(t, file, link[1])
				}
			}
		}
	}
	if followed < 50 {
		t.Errorf("followed %d links, which are too few", followed)
	}
	for _, pattern := range []string{"/etc/*/*", "/usr/lib/systemd/system/*", "/usr/share/ldirectord/*", "/usr/share/doc/ldirectord/*.md", "/usr/share/doc/ldirectord/examples/*"} {
		for _, file := range glob(t, stage+pattern) {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue // the link of heartbeat's resource.d leads out of the stage
			}
			for _, name := range installedName.FindAllString(read(t, file), -1) {
				if _, err := os.Stat(stage + strings.TrimRight(name, ".")); err != nil {
					t.Errorf("%s names %s: %v", strings.TrimPrefix(file, stage), name, err)
				}
			}
		}
	}
}

var (
	markdownLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	installedName = regexp.MustCompile(`/usr/share/(?:doc/)?ldirectord[\w./-]*`)
	heading       = regexp.MustCompile(`(?m)^#+ (.*)$`)
	inAnchor      = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// followLink looks for the file and the heading of a link in a document.
func followLink(t *testing.T, file, link string) {
	t.Helper()
	name, anchor, _ := strings.Cut(link, "#")
	target := file
	if name != "" {
		target = filepath.Join(filepath.Dir(file), name)
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("%s: link to %s: %v", file, link, err)
		return
	}
	if anchor == "" {
		return
	}
	for _, h := range heading.FindAllStringSubmatch(read(t, target), -1) {
		if strings.ReplaceAll(inAnchor.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return
		}
	}
	t.Errorf("%s: link to %s: there is no such heading", file, link)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no file, %v", pattern, err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeLinksAllDocuments wants a link in README.md to each document.
func TestReadmeLinksAllDocuments(t *testing.T) {
	readme := read(t, root+"/README.md")
	for _, file := range glob(t, root+"/docs/*.md") {
		if name := "docs/" + filepath.Base(file); !strings.Contains(readme, "]("+name+")") {
			t.Errorf("README.md has no link to %s", name)
		}
	}
}
