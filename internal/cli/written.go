package cli

import (
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// written is the line that sets a directive: in v's block, else outside of blocks, else
// that of the block itself. v may be nil. Line 0 of the first file is no such line.
func written(sources *conf.Sources, v *conf.VirtualService, directive string) (file string, line int) {
	if v != nil {
		own, _ := sources.File(v.File)
		if n := inBlock(own.Text, v.Line, directive); n != 0 {
			return v.File, n
		}
	}
	file = sources.Files[0].Path
	for _, f := range sources.Files {
		n := 0
		for text := range strings.Lines(string(f.Text)) {
			n++
			if isBlank(text) || !sets(text, directive) {
				continue
			}
			file, line = f.Path, n
		}
	}
	if line == 0 && v != nil {
		return v.File, v.Line
	}
	return file, line
}

// inBlock is the last line of the block at begin that sets a directive, 0 if there is none.
func inBlock(text []byte, begin int, directive string) (line int) {
	n := 0
	for text := range strings.Lines(string(text)) {
		n++
		switch {
		case n <= begin:
		case strings.HasPrefix(text, "#"):
		case !isBlank(text) || strings.TrimSpace(text) == "":
			return line
		case sets(text, directive):
			line = n
		}
	}
	return line
}

// sets reports whether a line of a file sets a directive.
func sets(text, directive string) bool {
	name, _, ok := strings.Cut(text, "=")
	return ok && strings.TrimSpace(name) == directive
}

// isBlank reports whether a line begins with a blank, or is empty.
func isBlank(text string) bool { return strings.TrimLeft(text, " \t\r\n") != text }
