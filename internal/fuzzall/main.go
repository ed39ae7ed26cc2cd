// Command fuzzall runs every fuzz target of the module for a time, and reports the
// executions of each and their sum. It fails if a target fails or has no execution.
//
// It builds each package's test binary once: "go test -fuzz" links it again for
// each target, which takes longer than a thousand executions.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	var r runner
	flag.StringVar(&r.goTool, "go", "go", "the go command")
	flag.StringVar(&r.fuzzTime, "time", "10s", "for each target: a duration, or a count of executions such as 1000x")
	only := flag.String("only", "", "a regular expression: only targets whose name matches")
	flag.Parse()
	if err := r.run(*only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A runner runs fuzz targets.
type runner struct {
	goTool, fuzzTime string

	binaries string // directory of the test binaries
	cache    string // the go command's directory of inputs that reach new code
}

func (r *runner) run(only string) (err error) {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if r.binaries, err = os.MkdirTemp("", "fuzzall-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.binaries)) }()
	if r.cache, err = r.output("env", "GOCACHE"); err != nil {
		return err
	}
	r.cache = filepath.Join(r.cache, "fuzz")
	packages, err := r.output("list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}", "./...")
	if err != nil {
		return err
	}
	targets, sum := 0, 0
	for line := range strings.Lines(packages) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		names, err := fuzzTargets(dir, match)
		if err != nil {
			return err
		}
		n, err := r.fuzzPackage(path, dir, names)
		if err != nil {
			return err
		}
		targets, sum = targets+len(names), sum+n
	}
	if targets == 0 {
		return errors.New("there is no fuzz target")
	}
	fmt.Printf("%d targets, %d executions\n", targets, sum)
	return nil
}

// output is the output of the go command without the last line break.
func (r *runner) output(args ...string) (string, error) {
	cmd := exec.Command(r.goTool, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", r.goTool, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

// fuzzTargets are the names of the matching fuzz targets in the test files of a
// directory.
func fuzzTargets(dir string, match *regexp.Regexp) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			if match.Match(m[1]) {
				names = append(names, string(m[1]))
			}
		}
	}
	return names, err
}

// fuzzPackage runs targets of one package and returns the sum of their executions.
func (r *runner) fuzzPackage(path, dir string, names []string) (sum int, err error) {
	if len(names) == 0 {
		return 0, nil
	}
	binary := filepath.Join(r.binaries, strings.ReplaceAll(path, "/", "_")+".test")
	if _, err := r.output("test", "-c", "-fuzz", ".", "-o", binary, path); err != nil { // -fuzz adds the instrumentation
		return 0, err
	}
	for _, name := range names {
		n, err := r.fuzz(binary, path, dir, name)
		if err != nil {
			return sum, err
		}
		fmt.Printf("%-50s %-20s %10d executions\n", path, name, n)
		sum += n
	}
	return sum, nil
}

// fuzz runs one target and returns the number of its executions.
func (r *runner) fuzz(binary, path, dir, name string) (int, error) {
	cmd := exec.Command(binary, "-test.run", "^$", "-test.fuzz", "^"+name+"$", "-test.fuzztime", r.fuzzTime,
		"-test.fuzzcachedir", filepath.Join(r.cache, filepath.FromSlash(path)))
	cmd.Dir = dir
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, printed := executions(pipe)
	if err := cmd.Wait(); err != nil {
		return n, fmt.Errorf("%s %s: %w\n%s", path, name, err, printed)
	}
	if n == 0 || strings.Contains(printed, uninstrumented) {
		return 0, fmt.Errorf("%s %s was not executed with coverage guidance\n%s", path, name, printed)
	}
	return n, nil
}

// uninstrumented is a line in the output of a test binary that was built without
// -fuzz.
const uninstrumented = "not built with coverage instrumentation"

var execs = regexp.MustCompile(`^fuzz: elapsed: .*execs: (\d+)`)

// executions returns the last count in a test binary's output, and the whole
// output.
func executions(r io.Reader) (n int, printed string) {
	var b strings.Builder
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if m := execs.FindStringSubmatch(line); m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		b.WriteString(line)
		if err != nil {
			return n, b.String()
		}
	}
}
