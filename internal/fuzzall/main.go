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
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	var r runner
	flag.StringVar(&r.goTool, "go", "go", "the go command")
	flag.StringVar(&r.fuzzTime, "time", "10s", "for each target: a duration, or a count of executions such as 1000x")
	flag.IntVar(&r.sum, "sum", 0, "executions of all targets together: after -time each runs on for as long as the others until they are reached")
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
	sum              int // of executions; 0 is those of fuzzTime

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
	var targets []*target
	for line := range strings.Lines(packages) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		names, err := fuzzTargets(dir, match)
		if err != nil {
			return err
		}
		list, err := r.fuzzPackage(path, dir, names)
		if err != nil {
			return err
		}
		targets = append(targets, list...)
	}
	if len(targets) == 0 {
		return errors.New("there is no fuzz target")
	}
	if err := r.runOn(targets); err != nil {
		return err
	}
	sum := 0
	for _, t := range targets {
		sum += t.executions
	}
	fmt.Printf("%d targets, %d executions\n", len(targets), sum)
	return nil
}

// runOn runs targets on until the sum of their executions is r.sum.
func (r *runner) runOn(targets []*target) error {
	for i, n := range shares(targets, r.sum) {
		if n == 0 {
			continue
		}
		if err := r.fuzz(targets[i], strconv.Itoa(n)+"x"); err != nil {
			return err
		}
		fmt.Printf("%s, in two runs\n", targets[i])
	}
	return nil
}

// shares is how many more executions each target has until they are sum together, if
// all run for the same time.
func shares(targets []*target, sum int) []int {
	list, all := make([]int, len(targets)), 0.0
	for _, t := range targets {
		sum -= t.executions
		all += t.rate()
	}
	for i, t := range targets {
		if sum > 0 {
			list[i] = int(math.Ceil(float64(sum) * t.rate() / all))
		}
	}
	return list
}

// A target is one fuzz target and its result.
type target struct {
	path, dir, binary, name string
	executions              int
	took                    time.Duration
}

// rate is executions per second.
func (t *target) rate() float64 { return float64(t.executions) / max(t.took.Seconds(), 0.001) }

func (t *target) String() string {
	return fmt.Sprintf("%-50s %-24s %10d executions in %v", t.path, t.name, t.executions, t.took.Round(time.Second))
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

// fuzzPackage runs targets of one package, each for r.fuzzTime.
func (r *runner) fuzzPackage(path, dir string, names []string) ([]*target, error) {
	if len(names) == 0 {
		return nil, nil
	}
	binary := filepath.Join(r.binaries, strings.ReplaceAll(path, "/", "_")+".test")
	if _, err := r.output("test", "-c", "-fuzz", ".", "-o", binary, path); err != nil { // -fuzz adds the instrumentation
		return nil, err
	}
	var targets []*target
	for _, name := range names {
		t := &target{path: path, dir: dir, binary: binary, name: name}
		if err := r.fuzz(t, r.fuzzTime); err != nil {
			return nil, err
		}
		fmt.Println(t)
		targets = append(targets, t)
	}
	return targets, nil
}

// fuzz runs one target for a time and counts its executions. Inputs that earlier
// runs kept are executed first and count, too: if the time ends among them, the
// target runs again for as many executions and a thousand more.
func (r *runner) fuzz(t *target, fuzzTime string) error {
	n, kept, printed, err := r.execute(t, fuzzTime)
	if err == nil && n == 0 && kept > 0 {
		n, _, printed, err = r.execute(t, strconv.Itoa(kept+1000)+"x")
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", t.path, t.name, err, printed)
	}
	if n == 0 || strings.Contains(printed, uninstrumented) {
		return fmt.Errorf("%s %s was not executed with coverage guidance\n%s", t.path, t.name, printed)
	}
	t.executions += n
	return nil
}

// execute runs the test binary of one target for a time.
func (r *runner) execute(t *target, fuzzTime string) (n, kept int, printed string, err error) {
	cmd := exec.Command(t.binary, "-test.run", "^$", "-test.fuzz", "^"+t.name+"$", "-test.fuzztime", fuzzTime,
		"-test.fuzzcachedir", filepath.Join(r.cache, filepath.FromSlash(t.path)))
	cmd.Dir = t.dir
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, "", err
	}
	cmd.Stderr = cmd.Stdout
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, "", err
	}
	n, kept, printed = executions(pipe)
	err = cmd.Wait()
	t.took += time.Since(began)
	return n, kept, printed, err
}

// uninstrumented is a line in the output of a test binary that was built without
// -fuzz.
const uninstrumented = "not built with coverage instrumentation"

var (
	execs    = regexp.MustCompile(`^fuzz: elapsed: .*execs: (\d+)`)
	baseline = regexp.MustCompile(`^fuzz: elapsed: .*gathering baseline coverage: \d+/(\d+)`)
)

// executions returns the last count in a test binary's output, the number of inputs
// that it had before, and the whole output.
func executions(r io.Reader) (n, kept int, printed string) {
	var b strings.Builder
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if m := execs.FindStringSubmatch(line); m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		if m := baseline.FindStringSubmatch(line); m != nil {
			kept, _ = strconv.Atoi(m[1])
		}
		b.WriteString(line)
		if err != nil {
			return n, kept, b.String()
		}
	}
}
