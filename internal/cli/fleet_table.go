package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/ldirectord/ldirectord/internal/fleet"
)

// A fleetTable is written in lines of at most width columns; 0 is as long as they are.
type fleetTable struct {
	out   *bufio.Writer
	width int
}

// columnsOf is how many columns a terminal has, 0 if w is none.
func columnsOf(w io.Writer) int {
	f, ok := unwrapped(w).(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// below is the indent of what does not fit beside its name.
const below = 6

// writeSummary writes a table of the fleet. What directors disagree about begins with "!".
func writeSummary(w io.Writer, sum *fleet.Summary, width int) error {
	t := fleetTable{out: bufio.NewWriter(w), width: width}
	t.members(sum)
	for _, of := range sum.Others() {
		t.text("! " + of.Name + ": " + of.String())
	}
	if len(sum.Addresses) > 0 {
		fmt.Fprintln(t.out, "\nVirtual address")
	}
	t.subjects("", sum.Addresses)
	for _, v := range sum.Virtuals {
		title := v.Virtual
		if v.On != nil {
			title += "   # " + v.On.String()
		}
		fmt.Fprintln(t.out)
		t.text(title)
		t.subjects("-> ", v.Reals)
	}
	return t.out.Flush()
}

// members writes the directors.
func (t fleetTable) members(sum *fleet.Summary) {
	names, in, served := []string{"Director"}, []string{"Real servers"}, []string{"Served"}
	for _, m := range sum.Directors {
		names = append(names, m.Director)
		if m.Error != "" {
			in, served = append(in, "-"), append(served, "-")
			continue
		}
		in, served = append(in, fmt.Sprintf("%d of %d in", m.In, m.Reals)), append(served, fmt.Sprintf("%d of %d", m.Served, m.Addresses))
	}
	column, inColumn, servedColumn := longest(names), longest(in), longest(served)
	row := func(i int, mark, state, alone string) {
		t.entry(mark, names[i], column, fmt.Sprintf("%-*s  %-*s  %s", inColumn, in[i], servedColumn, served[i], state), alone)
	}
	row(0, " ", "State", "")
	for i, m := range sum.Directors {
		switch {
		case m.Error != "":
			row(i+1, "!", m.Error, m.Error)
		case m.DryRun:
			row(i+1, " ", "dry run", "")
		default:
			row(i+1, " ", m.State, "")
		}
		if m.Trouble != "" {
			t.text("    " + m.Trouble)
		}
	}
}

// subjects writes what the directors say of each of a list.
func (t fleetTable) subjects(before string, list []fleet.Subject) {
	names := make([]string, len(list))
	for i, of := range list {
		names[i] = before + of.Name
	}
	column := longest(names)
	for i, of := range list {
		mark := " "
		if !of.Agreed {
			mark = "!"
		}
		t.entry(mark, names[i], column, of.String(), "")
	}
}

// entry writes a name and, beside its column, a text. If that does not fit, alone is below the name;
// "" is the text.
func (t fleetTable) entry(mark, name string, column int, text, alone string) {
	line := fmt.Sprintf("%s %-*s  %s", mark, column, name, text)
	if t.fits(line) {
		fmt.Fprintln(t.out, strings.TrimRight(line, " "))
		return
	}
	fmt.Fprintf(t.out, "%s %s\n", mark, name)
	t.text(strings.Repeat(" ", below) + cmp.Or(alone, text))
}

// text writes a text. One that does not fit goes on below, with a line for each word of the directors.
func (t fleetTable) text(text string) {
	if t.fits(text) {
		fmt.Fprintln(t.out, text)
		return
	}
	before, indent := text[:len(text)-len(strings.TrimLeft(text, " "))], strings.Repeat(" ", below)
	for part := range strings.SplitAfterSeq(text, "; ") {
		fmt.Fprintln(t.out, before+wrap(part, indent, t.width))
		before = indent
	}
}

func (t fleetTable) fits(line string) bool {
	return t.width == 0 || utf8.RuneCountInString(line) <= t.width
}

// longest is how many columns the longest text has.
func longest(texts []string) (width int) {
	for _, text := range texts {
		width = max(width, utf8.RuneCountInString(text))
	}
	return width
}
