// Command fuzzall runs every fuzz target of the module for a time, and reports how
// often each was executed and the sum. It fails if one fails, or was not executed.
package main

import (
	"bufio"
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
	goTool := flag.String("go", "go", "the go command")
	fuzzTime := flag.String("time", "5s", "for each target: a duration, or a count of executions such as 1000x")
	flag.Parse()
	if err := run(*goTool, *fuzzTime); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(goTool, fuzzTime string) error {
	out, err := exec.Command(goTool, "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}", "./...").Output()
	if err != nil {
		return fmt.Errorf("listing the packages: %w", err)
	}
	targets, sum := 0, 0
	for line := range strings.Lines(string(out)) {
		pkg, source, _ := strings.Cut(strings.TrimSpace(line), " ")
		names, err := fuzzTargets(source)
		if err != nil {
			return err
		}
		for _, name := range names {
			n, err := fuzz(goTool, pkg, name, fuzzTime)
			if err != nil {
				return err
			}
			fmt.Printf("%-30s %-24s %d executions\n", pkg, name, n)
			targets, sum = targets+1, sum+n
		}
	}
	if targets == 0 {
		return fmt.Errorf("there is no fuzz target")
	}
	fmt.Printf("%d targets, %d executions\n", targets, sum)
	return nil
}

var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

// fuzzTargets are the names of the fuzz targets in the test files of a directory.
func fuzzTargets(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names, err
}

// fuzz runs one target and returns how often it was executed.
func fuzz(goTool, pkg, name, fuzzTime string) (int, error) {
	cmd := exec.Command(goTool, "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", fuzzTime, pkg)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, said := executions(pipe)
	if err := cmd.Wait(); err != nil {
		return n, fmt.Errorf("%s %s: %w\n%s", pkg, name, err, said)
	}
	if n == 0 {
		return 0, fmt.Errorf("%s %s was not executed\n%s", pkg, name, said)
	}
	return n, nil
}

var execs = regexp.MustCompile(`^fuzz: elapsed: .*execs: (\d+)`)

// executions is the last count in what go test prints, and all that it prints.
func executions(r io.Reader) (n int, said string) {
	var b strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if m := execs.FindStringSubmatch(lines.Text()); m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		b.WriteString(lines.Text() + "\n")
	}
	return n, b.String()
}
