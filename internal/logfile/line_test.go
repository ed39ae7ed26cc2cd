package logfile

import (
	"strings"
	"testing"
)

func TestMark(t *testing.T) {
	tests := map[string]struct {
		bytes   int
		absent  uint64 // of the second of three lines of four bytes
		written string
		lost    uint64
	}{
		"nothing":              {0, 0, "---", 3},
		"less than a line":     {3, 0, "---", 3},
		"a line":               {4, 0, "x--", 2},
		"a line and a half":    {6, 0, "x--", 2},
		"all":                  {12, 0, "xxx", 0},
		"it stands for others": {4, 9, "x--", 10},
		"and is written":       {8, 9, "xx-", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			lines := linesOf("one\n", "two\n", "six\n")
			lines[1].absent = tt.absent
			mark(lines, tt.bytes)
			var got strings.Builder
			for _, l := range lines {
				got.WriteString(map[bool]string{true: "x", false: "-"}[l.written])
			}
			if lost := unwritten(lines); got.String() != tt.written || lost != tt.lost {
				t.Errorf("written: %s, %d lost; want %s, %d", got.String(), lost, tt.written, tt.lost)
			}
		})
	}
}
