package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	file := Program(t, "github.com/ldirectord/ldirectord/internal/lab/setup")
	first, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.Stat(Program(t, "github.com/ldirectord/ldirectord/internal/lab/setup"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(first, again) {
		t.Error("a program that had not changed was replaced")
	}
	if !Inside(t) {
		return
	}
	if out, err := exec.Command(file).CombinedOutput(); err != nil {
		t.Errorf("inside: %v\n%s", err, out)
	}
}

func TestBuildFails(t *testing.T) {
	file, err := cached(t.TempDir(), "none")
	if err != nil {
		t.Fatal(err)
	}
	err = build(file, "build", "ldirectord/no/such/package")
	if err == nil || !strings.Contains(err.Error(), "no/such/package") {
		t.Errorf("got %v", err)
	}
}

func TestPublish(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "first", "second"} {
		running, _ := os.Open(file) // as a kernel would have it
		if err := publish([]byte(text), file, 0o700); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); string(got) != text || err != nil {
			t.Errorf("published %q, %v; want %q", got, err, text)
		}
		if running != nil {
			was := make([]byte, 10)
			if n, _ := running.Read(was); string(was[:n]) != "first" {
				t.Errorf("the running one became %q", was[:n])
			}
			running.Close()
		}
	}
}
