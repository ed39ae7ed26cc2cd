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
	// limit is the goal for ours, from the medians of all; nil is none.
	limit func(medians map[string]float64) float64
	cells map[string][]sample
}

// A report is all that was measured.
type report struct {
	columns []string
	rows    []*row
}

// add notes a sample of a program.
func (r *report) add(section, name, program string, limit func(map[string]float64) float64, s ...float64) {
	i := slices.IndexFunc(r.rows, func(row *row) bool { return row.section == section && row.name == name })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, &row{section: section, name: name, limit: limit, cells: map[string][]sample{}})
	}
	r.rows[i].cells[program] = append(r.rows[i].cells[program], s)
}

// atMost is a goal that is a number.
func atMost(limit float64) func(map[string]float64) float64 {
	return func(map[string]float64) float64 { return limit }
}

// sections are the names of the report's sections in their order.
func (r *report) sections() (names []string) {
	for _, row := range r.rows {
		if !slices.Contains(names, row.section) {
			names = append(names, row.section)
		}
	}
	return names
}

// String is the report as tables of Markdown.
func (r *report) String() string {
	var b strings.Builder
	for _, section := range r.sections() {
		fmt.Fprintf(&b, "## %s\n\n| | %s | of keepalived's | goal | |\n|---%s|---|---|---|\n", section,
			strings.Join(r.columns, " | "), strings.Repeat("|---", len(r.columns)))
		for _, row := range r.rows {
			if row.section == section {
				b.WriteString(row.line(r.columns))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// line is the row as one of a table. The first column is ours.
func (r *row) line(columns []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s ", r.name)
	medians := map[string]float64{}
	for _, column := range columns {
		samples := r.cells[column]
		fmt.Fprintf(&b, "| %s ", cell(samples))
		if len(samples) > 0 {
			m := medianOf(samples)
			medians[column] = m[len(m)-1]
		}
	}
	ours, ratio := medians[columns[0]], ""
	if peer := medians["keepalived"]; peer > 0 && ours > 0 && !math.IsInf(peer, 0) {
		ratio = fmt.Sprintf("%.2f", ours/peer)
	}
	goal, verdict := "", ""
	if r.limit != nil && len(r.cells[columns[0]]) > 0 {
		switch limit := r.limit(medians); {
		case math.IsInf(limit, 0): // nothing to compare with
		case ours > limit:
			goal, verdict = "≤ "+number(limit), "**missed**"
		default:
			goal, verdict = "≤ "+number(limit), "met"
		}
	}
	fmt.Fprintf(&b, "| %s | %s | %s |\n", ratio, goal, verdict)
	return b.String()
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
