package logfile

// A line is a line of a log, or a mark for missing lines.
type line struct {
	text    []byte
	absent  uint64 // how many lines are missing, 0 for a real line
	written bool
}

func (l line) cost() int { return len(l.text) + lineCost }

// joined is the text of all lines.
func joined(lines []line) []byte {
	size := 0
	for _, l := range lines {
		size += len(l.text)
	}
	text := make([]byte, 0, size)
	for _, l := range lines {
		text = append(text, l.text...)
	}
	return text
}

// mark marks the lines that are complete in the first n bytes of their text.
func mark(lines []line, n int) {
	for i := range lines {
		if n -= len(lines[i].text); n < 0 {
			return
		}
		lines[i].written = true
	}
}

// unwritten counts the lines that were not written, and the missing ones that they
// report.
func unwritten(lines []line) uint64 {
	var n uint64
	for _, l := range lines {
		if !l.written {
			n += max(1, l.absent)
		}
	}
	return n
}
