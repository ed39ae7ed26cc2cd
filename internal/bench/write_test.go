package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// introduction stands before the tables.
const introduction = `# Benchmarks

Written by ` + "`make bench`" + ` on %s, in one run of %s. Nothing on this page is written by hand.

%s, %s.
Load of the machine, all processes, at the end: %s.

Every program watches the same servers in a network of its own, loopback only, one program after the other: ten real
servers in each virtual service, each asked every second with a timeout of two, one failed check takes a server out. The
number in a row's name is that of the real servers. A cell is the median of three measurements and, in parentheses, the
smallest and the largest, of several numbers those of the last one; a cell without parentheses was measured once. "Not seen"
is what did not happen within %s. A dash is what was not measured. "÷" is ours divided by the other's: below one is better.

What is measured, and what not:

- **Load and programs share the machine.** The servers, one process that answers in as few system calls as it can, take
  their part of its processors, and what they take is not counted. So absolute numbers are those of this machine under
  this load; the ratios say more.
- CPU is that of all the program's threads and processes, user and system, in three windows of %s, divided by the
  questions that the servers counted. It has all in it that the program does, its log and its waiting included.
- The floor is a program that does the same checks and nothing else, ten thousand or a thousand a second: in C for connect
  and http; for https a loop of bare TLS handshakes in Go, without a question.
- The kernel's table is left out for all sides: ours runs with --dry-run, keepalived with a preloaded library, Perl
  ldirectord with a program in place of ipvsadm. Both stand-ins answer at once and note each change with its time; ours
  is read from its log, so it bears the cost of logging and of the way through the pipe.
- On time is measured where the servers are, over all healthy ones. It is "not seen" where some healthy server was not
  even asked twice. The kernel answers pings by itself: nothing is known of their times.
- A black hole is a rule that drops every packet to the servers; a refusing server has closed its port; a silent one
  accepts and does not answer. One server and 1 %% of them fail in all three ways at the same time, half of them in one way
  after the other; all of it three times, with keepalived and fewer than 10,000 servers once. What a program did not notice in
  time is not waited for again.
- Where the log of ours says that lines are missing, because they came faster than they could be written, there is a
  dash for what would have been read from it.
- Perl ldirectord is measured with 100 real servers and with connect and http only, and with one fault, one server refused,
  once. It asks one server after the other: its start with 1,000 takes half a minute on one machine and more than two on
  another, and each round beside hanging commands minutes.
- The certificates of https are not verified, as keepalived does not.
- "Beside 100 commands that hang": as many more real servers are asked by a small program that waits until it is
  killed. A shell script that sleeps takes as much CPU to start as some three hundred checks, which all but filled the machine.
- "With a reload": a comment is added to the file and a SIGHUP sent, in a window of its own.
- Start: from the start of the process, until the last server was asked, and until the last is in the table. keepalived
  puts all servers in before it asks them.
- Every program's file is dropped from the page cache before it is started first, and read from the disk as after a boot. One that
  was just installed may take ten megabytes more: on Linux 6.18 a page fault maps more of a file that was written at once.
- Memory is sampled while the checks go on, in the first seconds of a run; "during 15s" is after the faults and a
  reload, of which something may be left for that long. The growth in a minute is the slope of the nearest straight line
  through some sixty samples; ` + "`BENCH_HOURS=1 make bench`" + ` adds an hour of it.
- Nearly idle: voluntary context switches of all threads, with ten servers asked every second.
- The schedule alone runs by a clock that stands still while there is work, with checks that take no time: it shows the
  plan, how evenly it is spread and that nobody is asked late or twice, not what a machine makes of it.
- Growth, reloads and the schedule are of ours alone. The goals are those this program was given, not promises of others.

`

// writeReport writes the tables with their explanations, and the
// pictures.
func writeReport(path string, r *report, took time.Duration) error {
	load, _ := os.ReadFile("/proc/loadavg")
	var text strings.Builder
	fmt.Fprintf(&text, introduction, time.Now().Format(time.DateOnly), took.Round(time.Second), headline(), runtime.Version(),
		strings.Join(strings.Fields(string(load))[:3], " "), patience, window)
	for _, note := range r.notes {
		text.WriteString("- **Missing from this run**: " + note + "\n")
	}
	base := strings.TrimSuffix(path, filepath.Ext(path))
	for _, p := range r.pictures() {
		fmt.Fprintf(&text, "\n![%s](%s)\n", p.title, filepath.Base(base+p.suffix))
		if err := os.WriteFile(base+p.suffix, []byte(p.svg), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(strings.TrimSpace(text.String()+"\n"+r.String())+"\n"), 0o644)
}

// A drawing is one picture of the page.
type drawing struct{ title, suffix, svg string }

// pictures are those of the measured figures.
func (r *report) pictures() (all []drawing) {
	if rows, _ := r.in(sectionCPU); len(rows) > 0 {
		all = append(all, drawing{"CPU of a check", ".svg", bars(r, sectionCPU)})
	}
	for _, what := range []string{growthCPU, growthMemory} {
		if sizes, growth := r.growth(what); len(sizes) > 1 {
			suffix := map[string]string{growthCPU: "-growth.svg", growthMemory: "-memory.svg"}[what]
			all = append(all, drawing{"Growth: " + what, suffix, plot(sectionGrowth, sizes, growth)})
		}
	}
	if len(r.ticks) > 0 {
		all = append(all, drawing{
			"Spread of 1,000,000 real servers", "-million.svg",
			plot("Starts in each tick of 50 ms, 1,000,000 real servers asked every 10 s; 1 is the even share",
				[]string{"0 s", "10 s", "20 s", "30 s"}, line{name: "starts ÷ even share", y: r.ticks}),
		})
	}
	return all
}

// growth is one measurement of the growing numbers of real servers.
func (r *report) growth(what string) (sizes []string, growth line) {
	growth.name = what
	rows, _ := r.in(sectionGrowth)
	for _, row := range rows {
		if size, ok := strings.CutSuffix(row.name, ": "+what); ok {
			median := medianOf(row.cells[r.columns[0]])[0]
			sizes = append(sizes, size)
			growth.y, growth.labels = append(growth.y, median), append(growth.labels, number(median))
		}
	}
	return sizes, growth
}

// headline describes the machine and the programs.
func headline() string {
	return fmt.Sprintf("%s, kernel %s, %s", machine(), kernelVersion(), versions())
}
