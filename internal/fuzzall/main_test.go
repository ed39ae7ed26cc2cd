package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExecutions(t *testing.T) {
	for text, want := range map[string]int{
		"fuzz: elapsed: 0s, gathering baseline coverage: 0/5 completed\n":                                                                                      0,
		"fuzz: elapsed: 3s, execs: 100 (33/sec), new interesting: 1 (total: 5)\nfuzz: elapsed: 5s, execs: 250 (75/sec), new interesting: 1 (total: 5)\nPASS\n": 250,
		"testing: warning: no fuzz tests to fuzz\nPASS\n":                                                                                                      0,
	} {
		if n, printed := executions(strings.NewReader(text)); n != want || printed != text {
			t.Errorf("%q: %d executions, want %d; what was printed is kept as %q", text, n, want, printed)
		}
	}
}

func TestFuzzTargets(t *testing.T) {
	dir := t.TempDir()
	text := "package p\n\nfunc FuzzOne(f *testing.F) {}\n\nfunc TestFuzz(t *testing.T) {}\n\nfunc FuzzTwo(f *testing.F) {}\n"
	if err := os.WriteFile(filepath.Join(dir, "p_test.go"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	names, err := fuzzTargets(dir, regexp.MustCompile(""))
	if got := strings.Join(names, " "); err != nil || got != "FuzzOne FuzzTwo" {
		t.Errorf("targets %q, %v, want FuzzOne and FuzzTwo", got, err)
	}
}

// The rest is shared out by rate, so that all targets run for the same time.
func TestShares(t *testing.T) {
	targets := []*target{{executions: 100, took: time.Second}, {executions: 100, took: 10 * time.Second}, {executions: 100, took: 10 * time.Second}}
	for sum, want := range map[int][]int{0: {0, 0, 0}, 300: {0, 0, 0}, 1500: {1000, 100, 100}, 301: {1, 1, 1}} {
		if got := shares(targets, sum); !slices.Equal(got, want) {
			t.Errorf("until %d: %v, want %v", sum, got, want)
		}
	}
}
