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
	for text, want := range map[string][2]int{
		"fuzz: elapsed: 0s, gathering baseline coverage: 0/5 completed\n":                                                                                      {0, 5},
		"fuzz: elapsed: 3s, execs: 100 (33/sec), new interesting: 1 (total: 5)\nfuzz: elapsed: 5s, execs: 250 (75/sec), new interesting: 1 (total: 5)\nPASS\n": {250, 0},
		"testing: warning: no fuzz tests to fuzz\nPASS\n":                                                                                                      {0, 0},
	} {
		if n, kept, printed := executions(strings.NewReader(text)); [2]int{n, kept} != want || printed != text {
			t.Errorf("%q: %d executions, %d inputs before, want %v; what was printed is kept as %q", text, n, kept, want, printed)
		}
	}
}

// A target with more inputs than the executions that were ordered is executed all
// the same. make fuzz failed on a machine where earlier runs had kept many inputs.
func TestMoreInputsThanExecutions(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "p.test")
	script := `#!/bin/sh
while [ $# -gt 0 ]; do case $1 in -test.fuzztime) n=${2%x};; esac; shift; done
echo "fuzz: elapsed: 0s, gathering baseline coverage: 0/1045 completed"
[ "$n" -le 1045 ] || echo "fuzz: elapsed: 1s, execs: $n (1000/sec), new interesting: 0 (total: 1045)"
echo PASS
`
	if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	one := &target{path: "p", dir: dir, binary: binary, name: "FuzzOne"}
	if err := new(runner).fuzz(one, "1000x"); err != nil || one.executions != 2045 {
		t.Errorf("%d executions, %v, want 2045", one.executions, err)
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
