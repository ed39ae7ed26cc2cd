package lab

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Program builds the command with the given import path as a static binary
// that runs in the lab, and returns where it is. Building inside would take
// minutes, so a test calls Program before Inside; inside, it only returns the
// path.
func Program(t testing.TB, importPath string) string {
	t.Helper()
	file, err := cached(importPath)
	if err == nil && os.Getenv(environment) != "inside" {
		err = build(file, "build", importPath)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// plainTest returns a test binary of the package under test that starts in the
// lab: the running one, or another without the race detector.
var plainTest = sync.OnceValues(func() (string, error) {
	if !race {
		return os.Executable()
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	file, err := cached(filepath.Base(dir) + ".test")
	if err != nil {
		return "", err
	}
	return file, build(file, "test", ".", "-c")
})

// build runs a go command that writes one binary. The file is there whole or
// not at all, and is not touched while another kernel runs it.
func build(file, verb, pkg string, flags ...string) error {
	unlock, err := lock(filepath.Base(file), 0)
	if err != nil {
		return err
	}
	defer unlock()
	fresh := file + ".new"
	args := append([]string{verb, "-buildvcs=false", "-o", fresh}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return os.Rename(fresh, file)
}

// cached is the file in the cache for what is named, for the checkout in which
// this process runs: others of the same user have files of their own.
func cached(name string) (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\n%s", wd, name)
	return filepath.Join(dir, fmt.Sprintf("%s-%08x", path.Base(name), h.Sum32())), nil
}
