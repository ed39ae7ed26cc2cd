package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A sample is one measurement: one number, or the first, the median and the
// last of many. Infinite is what did not happen in the time given.
type sample []float64

// A row of the report is one thing measured of several programs.
type row struct {
	section, name string
	goal          goal // nil is none
	cells         map[string][]sample
}

// A report is all that was measured.
type report struct {
	columns []string // ours first
	rows    []*row
	notes   []string  // the missing figures, and why
	ticks   []float64 // of the schedule alone: starts in each, beside the even share
}

// add notes a sample of a program.
func (r *report) add(section, name, program string, goal goal, s ...float64) {
	i := slices.IndexFunc(r.rows, func(row *row) bool { return row.section == section && row.name == name })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, &row{section: section, name: name, goal: goal, cells: map[string][]sample{}})
	}
	r.rows[i].cells[program] = append(r.rows[i].cells[program], s)
}

// in are the rows of a section, and the columns that have something in it.
func (r *report) in(section string) (rows []*row, columns []string) {
	for _, row := range r.rows {
		if row.section == section {
			rows = append(rows, row)
		}
	}
	for _, column := range r.columns {
		if slices.ContainsFunc(rows, func(row *row) bool { return len(row.cells[column]) > 0 }) {
			columns = append(columns, column)
		}
	}
	return rows, columns
}

// String is the report as tables of Markdown, in the order of sections.
func (r *report) String() string {
	var b strings.Builder
	for _, section := range sections {
		rows, columns := r.in(section)
		if len(rows) == 0 {
			continue
		}
		others := others(columns, r.columns[0])
		fmt.Fprintf(&b, "## %s\n\n| | %s |", section, strings.Join(columns, " | "))
		for _, other := range others {
			fmt.Fprintf(&b, " ÷ %s |", other)
		}
		fmt.Fprintf(&b, " goal | |\n|---%s|---|---|\n", strings.Repeat("|---", len(columns)+len(others)))
		for _, row := range rows {
			b.WriteString(row.line(columns, r.columns[0]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// others are the columns without ours.
func others(columns []string, ours string) []string {
	return slices.DeleteFunc(slices.Clone(columns), func(column string) bool { return column == ours })
}

// line is the row as one of a table.
func (r *row) line(columns []string, ours string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", r.name)
	medians := map[string]float64{}
	for _, column := range columns {
		samples := r.cells[column]
		fmt.Fprintf(&b, " %s |", cell(samples))
		if len(samples) > 0 {
			m := medianOf(samples)
			medians[column] = m[len(m)-1]
		}
	}
	for _, other := range others(columns, ours) {
		fmt.Fprintf(&b, " %s |", ratio(medians[ours], medians[other]))
	}
	limit, verdict := r.verdict(medians, ours)
	fmt.Fprintf(&b, " %s | %s |\n", limit, verdict)
	return b.String()
}

// ratio is ours beside another's.
func ratio(ours, other float64) string {
	if ours == 0 || other == 0 || math.IsInf(ours, 0) || math.IsInf(other, 0) {
		return ""
	}
	return number(ours / other)
}

// verdict is the goal and whether it is met.
func (r *row) verdict(medians map[string]float64, ours string) (limit, verdict string) {
	got, measured := medians[ours]
	if r.goal == nil || !measured {
		return "", ""
	}
	most, from := r.goal(medians)
	if math.IsInf(most, 0) {
		return "", "" // nothing to compare with
	}
	limit, verdict = "≤ "+number(most), "met"
	if from != "" {
		limit += " = " + from
	}
	if got > most {
		verdict = "**missed**"
	}
	return limit, verdict
}

// cell is the median of samples and, of several, how far their last numbers are
// apart.
func cell(samples []sample) string {
	if len(samples) == 0 {
		return "–"
	}
	var numbers []string
	for _, n := range medianOf(samples) {
		numbers = append(numbers, number(n))
	}
	text := strings.Join(numbers, " / ")
	if len(samples) == 1 {
		return text
	}
	var last []float64
	for _, s := range samples {
		last = append(last, s[len(s)-1])
	}
	return fmt.Sprintf("%s (%s–%s)", text, number(slices.Min(last)), number(slices.Max(last)))
}

// medianOf is the median of each of the samples' numbers.
func medianOf(samples []sample) (m sample) {
	for i := range samples[0] {
		var column []float64
		for _, s := range samples {
			column = append(column, s[i])
		}
		m = append(m, median(column))
	}
	return m
}

// number is n with as many digits as are worth reading.
func number(n float64) string {
	switch {
	case math.IsInf(n, 0):
		return "not seen"
	case n >= 100:
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

// median is the middle one of some measurements: on a machine that does other
// things too some are wrong.
func median(measured []float64) float64 {
	sorted := slices.Sorted(slices.Values(measured))
	return sorted[len(sorted)/2]
}
