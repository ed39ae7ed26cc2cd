package bench

import (
	"fmt"
	"strings"
)

// The sizes of the pictures.
const (
	plotWidth, plotHeight = 720, 260
	plotLeft, plotBottom  = 60, 230
	plotTop               = 36
)

var colours = []string{"#2b6cb0", "#c05621", "#718096", "#a0aec0"}

// bars draws a section's medians, one bar for each program.
func bars(r *report, section string) string {
	const height, left = 18, 230
	var most float64
	var lines []func(scale float64, y int) string
	rows, _ := r.in(section)
	for _, row := range rows {
		for i, column := range r.columns {
			samples := row.cells[column]
			if len(samples) == 0 {
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
	for i, line := range lines {
		b.WriteString(line((plotWidth-left)/max(most, 1), 24+i*height))
	}
	return picture(section, len(lines)*height+30, b.String())
}

// A line is one of a plot. A label at its points stands for a scale.
type line struct {
	name   string
	y      []float64
	labels []string
}

// plot draws lines over the same points, from zero up to the largest.
func plot(title string, below []string, lines ...line) string {
	var most float64
	for _, l := range lines {
		for _, y := range l.y {
			most = max(most, y)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<path d="M%d %dV%dH%d" fill="none" stroke="#a0aec0"/>`+"\n", plotLeft, plotTop, plotBottom, plotWidth)
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><text x="%d" y="%d" text-anchor="end">0</text>`+"\n",
		plotLeft-6, plotTop+4, number(most), plotLeft-6, plotBottom+4)
	for i, l := range lines {
		b.WriteString(l.draw(colours[i%len(colours)], most, 24+i*14))
	}
	for i, text := range below {
		fmt.Fprintf(&b, `<text x="%.0f" y="%d" text-anchor="middle">%s</text>`+"\n", plotX(i, len(below)), plotBottom+18, text)
	}
	return picture(title, plotHeight, b.String())
}

// draw is the line itself, and its name at the given height.
func (l line) draw(colour string, most float64, nameY int) string {
	var b strings.Builder
	var points []string
	for i, y := range l.y {
		x, y := plotX(i, len(l.y)), plotBottom-y/max(most, 1e-9)*(plotBottom-plotTop)
		points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
		if i < len(l.labels) {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n",
				x, y, colour, x, y-8, l.labels[i])
		}
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s"/>`, strings.Join(points, " "), colour)
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`+"\n", plotWidth, nameY, colour, l.name)
	return b.String()
}

// plotX is where the i-th of n points is.
func plotX(i, n int) float64 {
	const margin = 24
	return plotLeft + margin + float64(i)/float64(max(n-1, 1))*(plotWidth-plotLeft-2*margin)
}

// picture is an SVG with a title.
func picture(title string, height int, content string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+
		"\n"+`<rect width="100%%" height="100%%" fill="white"/><text x="8" y="16">%s</text>`+"\n%s</svg>\n",
		plotWidth+60, height, title, content)
}
