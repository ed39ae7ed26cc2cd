package logfile

// A line is a line of a log, or stands for lines that are not there.
type line struct {
	text    []byte
	absent  uint64 // how many it stands for, 0 for a line that is there
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

// mark marks the lines that the first n bytes of their text are the whole of.
func mark(lines []line, n int) {
	for i := range lines {
		if n -= len(lines[i].text); n < 0 {
			return
		}
		lines[i].written = true
	}
}

// unwritten counts the lines that were not written, and those that they stand for.
func unwritten(lines []line) uint64 {
	var n uint64
	for _, l := range lines {
		if !l.written {
			n += max(1, l.absent)
		}
	}
	return n
}
