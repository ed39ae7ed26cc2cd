package lab

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Program builds the command with the given import path as a static binary
// that runs in the lab, and returns where it is. Building inside would take
// minutes, so a test calls Program before Inside; inside, it only returns the
// path. With -short a test that needs a program is left out.
func Program(t testing.TB, importPath string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("-short: left out, builds %s", importPath)
	}
	file, err := program(importPath)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// program is Program for those who have no test at hand.
func program(importPath string) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	file, err := cached(root, importPath)
	if err != nil || os.Getenv(environment) == "inside" {
		return file, err
	}
	return file, build(file, "build", importPath)
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
	file, err := cached(dir, filepath.Base(dir)+".test")
	if err != nil {
		return "", err
	}
	return file, build(file, "test", ".", "-c")
})

// build runs a go command that writes one binary. The file is there whole or
// not at all, and one that a kernel runs is replaced, not written to.
func build(file, verb, pkg string, flags ...string) error {
	unlock, err := lock(filepath.Base(file), 0)
	if err != nil {
		return err
	}
	defer unlock()
	// The go command skips the build if its last output is still valid.
	built := file + ".built"
	args := append([]string{verb, "-buildvcs=false", "-o", built}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	binary, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	if err := publish(binary, file, 0o700); err != nil {
		return err
	}
	now := time.Now()
	if err := os.Chtimes(file+".lock", now, now); err != nil {
		return err
	}
	return prune(filepath.Dir(file), now.Add(-unused))
}

// unused is how long the cache keeps programs that no test builds again, such as those of a
// deleted checkout.
const unused = 7 * 24 * time.Hour

// cachedName matches the names that cached makes, and no other lock of the cache.
var cachedName = regexp.MustCompile(`-[0-9a-f]{8}$`)

// prune removes the programs in the cache dir that were last used before a time. The lock of
// each, which its last use has touched, goes with it.
func prune(dir string, before time.Time) error {
	locks, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	if err != nil {
		return err
	}
	for _, file := range locks {
		info, err := os.Stat(file)
		name := strings.TrimSuffix(filepath.Base(file), ".lock")
		if err != nil || !cachedName.MatchString(name) || !info.ModTime().Before(before) {
			continue
		}
		unlock, err := lock(name, unix.LOCK_NB)
		if err != nil {
			continue // it is in use
		}
		for _, suffix := range []string{"", ".new", ".built", ".lock"} {
			if err := os.Remove(filepath.Join(dir, name+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				unlock()
				return err
			}
		}
		unlock()
	}
	return nil
}

// publish makes text the content of file at once, unless it is already.
func publish(text []byte, file string, mode os.FileMode) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := os.WriteFile(file+".new", text, mode); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// cached is the file in the cache for a name in a directory: another checkout of
// the same user has files of its own.
func cached(dir, name string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\n%s", dir, name)
	return filepath.Join(cache, fmt.Sprintf("%s-%08x", path.Base(name), h.Sum32())), nil
}

// moduleRoot is the directory of the go.mod above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the lab builds what it needs: no go.mod above the working directory")
		}
		dir = parent
	}
}
