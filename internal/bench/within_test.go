package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// within measures parts of the program, or on a kernel: parsing,
// reloads and many transitions at once.
func (c *comparison) within() {
	ours := c.columns[0]
	c.step("parsing", func(tb testing.TB) {
		file, err := ldirectordFile(tb.TempDir(), work{kind: "http", n: most, port: firstPort})
		if err != nil {
			tb.Fatal(err)
		}
		for range windows {
			began := time.Now()
			if _, err := conf.Load(file, conf.Options{Hostname: "bench"}); err != nil {
				tb.Fatal(err)
			}
			c.add(sectionStart, fmt.Sprintf("%d real servers parsed", most), ours, atMost(0.1), time.Since(began).Seconds())
		}
	})
	c.step("reloads", func(tb testing.TB) {
		out := goTest(tb, nil, "go", "test", "../director", "-run=^$", "-bench=^BenchmarkReload$", "-benchtime=3x", "-count=3")
		for _, reload := range []struct{ name, writes string }{{"unchanged", "no write"}, {"one_weight", "one write"}} {
			name := strings.ReplaceAll(reload.name, "_", " ") + ", 2284 virtual services, 37298 real servers; " + reload.writes
			for _, nanoseconds := range numbers(out, `BenchmarkReload/`+reload.name+`\S*\s+\d+\s+(\d+) ns/op`) {
				c.add(sectionReload, name, ours, atMost(0.1), nanoseconds/1e9)
			}
		}
	})
	c.step("transitions", func(tb testing.TB) {
		out := goTest(tb, nil, os.Args[0], "-test.run=^TestTransitions$", "-test.v", "-test.count=3")
		for _, seconds := range numbers(out, `10000 changes in ([\d.]+) s`) {
			c.add(sectionKernel, "10000 real servers taken out at once", ours, atMost(2), seconds)
		}
	})
	c.million()
}

// goTest runs tests in a process of their own and returns their output.
func goTest(tb testing.TB, env []string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		fmt.Printf("%s\n", out)
		tb.Fatalf("%v: %v", args, err)
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
