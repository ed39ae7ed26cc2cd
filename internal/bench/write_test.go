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

Written by ` + "`make bench`" + ` on %s.

%s, %s.
Load at the end: %s.

Every program watches the same servers in a network of its own, loopback only, one program after the other: ten real
servers in each virtual service, each asked every second with a time-out of two, one failed check takes a server out.
Load and programs share the machine, so absolute numbers say little; the ratios do. A cell is the median of the runs and,
in parentheses, the smallest and the largest, of three numbers those of the last one. "Not seen" is what did not happen
within %s; a dash is what was not measured: Perl ldirectord with more than 1,000 real servers, because its start alone
takes over ten minutes.

What is measured, and what not:

- CPU is that of all the program's threads, user and system, divided by the connections that the servers counted.
- The kernel's table is left out for all sides: ours runs with --dry-run, keepalived with a preloaded library, Perl
  ldirectord with a program in place of ipvsadm. Both stand-ins answer at once and note each change with its time; ours
  is read from its log, so it bears the cost of logging and of the way through the pipe.
- The floor is a program in C that does the same checks and nothing else.
- A black hole is a rule that drops every packet to the servers; a silent server accepts and does not answer.
- On time: measured where the servers are, over all healthy ones. Faults are part of the time.
- The faults of one server and of 1 %% come in all three ways at the same time, with 1,000 servers once, with 10,000
  three times. Half of the servers fail once in each way.
- Where the log of ours says that lines are missing, because they came faster than they could be written, there is a
  dash for what would have been read from it.
- On time is "not seen" where some healthy server was not even asked twice.

`

// writeReport writes the tables and what is to be known about them, and the
// picture.
func writeReport(path string, r *report) error {
	load, _ := os.ReadFile("/proc/loadavg")
	text := fmt.Sprintf(introduction, time.Now().Format(time.DateOnly), headline(), runtime.Version(),
		strings.Join(strings.Fields(string(load))[:3], " "), patience)
	text += "![CPU of a check](benchmarks.svg)\n\n" + r.String()
	svg := strings.TrimSuffix(path, filepath.Ext(path)) + ".svg"
	if err := os.WriteFile(svg, []byte(bars(r, sectionCPU)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.TrimSpace(text)+"\n"), 0o644)
}

// bars draws a section's medians, one bar for each program.
func bars(r *report, section string) string {
	const width, height, left = 720, 18, 230
	var most float64
	var lines []func(scale float64, y int) string
	for _, row := range r.rows {
		for i, column := range r.columns {
			samples := row.cells[column]
			if row.section != section || len(samples) == 0 {
				continue
			}
			m := medianOf(samples)
			value := m[len(m)-1]
			most = max(most, value)
			lines = append(lines, func(scale float64, y int) string {
				return fmt.Sprintf(`<text x="%d" y="%d" text-anchor="end">%s, %s</text>`+
					`<rect x="%d" y="%d" width="%.0f" height="%d" fill="%s"/><text x="%.0f" y="%d">%s</text>`+"\n",
					left-8, y+13, row.name, column, left, y, value*scale, height-4, colours[i%len(colours)],
					left+value*scale+6, y+13, number(value))
			})
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n",
		width+60, len(lines)*height+30)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="8" y="16">%s</text>`+"\n", section)
	for i, line := range lines {
		b.WriteString(line((width-left)/max(most, 1), 24+i*height))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

var colours = []string{"#2b6cb0", "#c05621", "#718096", "#a0aec0"}

// headline is what is said of the machine and the programs.
func headline() string {
	return fmt.Sprintf("%s, kernel %s, %s", machine(), kernelVersion(), versions())
}
