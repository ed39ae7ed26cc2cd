package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ldirectord/conf"
)

// within measures what is inside of the program, or on a kernel: parsing,
// reloads and many transitions at once.
func (c *comparison) within() {
	ours := c.columns[0]
	file, err := ldirectordFile(c.TempDir(), work{kind: "http", n: 10_000, port: firstPort})
	if err != nil {
		c.Fatal(err)
	}
	for range windows {
		began := time.Now()
		if _, err := conf.Load(file, conf.Options{Hostname: "bench"}); err != nil {
			c.Fatal(err)
		}
		c.add(sectionStart, "10000 real servers parsed", ours, atMost(0.1), time.Since(began).Seconds())
	}
	out := c.goTest("../director", "-run=^$", "-bench=^BenchmarkReload$", "-benchtime=3x", "-count=3")
	for _, reload := range []string{"unchanged", "one_weight"} {
		for _, nanoseconds := range numbers(out, `BenchmarkReload/`+reload+`\S*\s+\d+\s+(\d+) ns/op`) {
			name := strings.ReplaceAll("reload of 2284 virtual services, 37298 real servers, "+reload+" (s)", "_", " ")
			c.add(sectionOthers, name, ours, atMost(0.1), nanoseconds/1e9)
		}
	}
	out = c.goTest(".", "-run=^TestTransitions$", "-v", "-count=3")
	for _, seconds := range numbers(out, `10000 changes in ([\d.]+) s`) {
		c.add(sectionOthers, "10000 transitions at once on user-mode Linux (s)", ours, atMost(2), seconds)
	}
}

// goTest runs tests of a package and returns what they said.
func (c *comparison) goTest(pkg string, args ...string) string {
	c.Helper()
	out, err := exec.CommandContext(c.Context(), "go", append([]string{"test", pkg}, args...)...).CombinedOutput()
	if err != nil {
		fmt.Printf("go test %s %v: %v\n%s", pkg, args, err, out)
	}
	return string(out)
}

// numbers are those that a pattern finds.
func numbers(text, pattern string) (found []float64) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		if n, err := strconv.ParseFloat(match[1], 64); err == nil {
			found = append(found, n)
		}
	}
	return found
}

// feed runs a program with text on its standard input.
func feed(text string, args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", args, err, out)
	}
	return nil
}

// machine is what the processor is and how many of it there are.
func machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(text), "model name\t: ")
	model, _, _ := strings.Cut(rest, "\n")
	return fmt.Sprintf("%d × %s", strings.Count(string(text), "\nprocessor\t")+1, model)
}

func kernelVersion() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(text))
}

// versions are those of the peers.
func versions() string {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "keepalived", "ldirectord", "ipvsadm", "perl").Output()
	if err != nil {
		return "versions unknown"
	}
	return strings.TrimSuffix(string(out), ", ")
}
