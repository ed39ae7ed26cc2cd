package conf

import (
	"errors"
	"fmt"
	"iter"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxDepth    = 16   // of included files that include others
	maxIncluded = 4096 // files of one configuration
)

// An inclusion is what an include line names: one file, or those that fit a pattern.
type inclusion struct {
	plain   bool
	path    string
	pattern Pattern
}

// inclusionOf reads the value of an include line of the file at from, to whose
// directory it is relative.
func inclusionOf(from, value string) inclusion {
	dir := filepath.Dir(from)
	switch {
	case isPattern(value):
		return inclusion{pattern: Pattern{Dir: dir, Text: value}}
	case filepath.IsAbs(value):
		return inclusion{plain: true, path: filepath.Clean(value)}
	}
	return inclusion{plain: true, path: filepath.Join(dir, value)}
}

// includeLines are the values of the include lines of a file, as the parser of a
// start finds them.
func includeLines(text []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !strings.Contains(string(text), "include") {
			return
		}
		for _, s := range scan(string(text), false) {
			name, value, equals := splitDirective(s.head.text())
			if s.virtual || name != "include" || !equals {
				continue
			}
			if value := bareText(value); value != "" && !yield(value) {
				return
			}
		}
	}
}

// setInclude is include = FILE: its lines count as if they stood here. A name is
// relative to the directory of the file that it is in, and may be a pattern of
// path.Match, whose files are read in the order of their names.
func setInclude(at *location, value string) error {
	value = bareText(value)
	if value == "" {
		return errors.New("include must name a file, or files by a pattern such as conf.d/*.cf")
	}
	in := inclusionOf(at.path, value)
	if in.plain {
		at.next = []string{in.path}
		return nil
	}
	if _, err := path.Match(value, ""); err != nil {
		return errors.New("include has a pattern that does not end: " + value)
	}
	paths, err := at.files.match(in.pattern)
	if err != nil {
		return coded(CodeFileUnreadable, "include "+value+" cannot be looked up: "+err.Error())
	}
	if len(paths) == 0 {
		at.warn(at.line, CodeIncludeNothing, "include: no file matches "+in.pattern.String())
	}
	at.next = paths
	return nil
}

// includeNext reads the files of the include line that was read last.
func (p *parser) includeNext(line int) {
	next := p.next
	p.next = nil
	for _, file := range next {
		p.fail(line, p.include(file), "include", file)
		if p.stopped() {
			return
		}
	}
}

// include reads one file where the include line is.
func (p *parser) include(file string) error {
	switch {
	case slices.Contains(p.including, file):
		return because(CodeIncludeLoop, errors.New("each file may include others, but none that includes it"),
			"include makes a circle: "+strings.Join(slices.Concat(p.including, []string{file}), " includes "))
	case len(p.including) > maxDepth:
		return coded(CodeIncludeLoop, fmt.Sprintf("include goes deeper than %d files: %s", maxDepth, file))
	case p.included == maxIncluded:
		return coded(CodeIncludeLoop, fmt.Sprintf("include reads more than %d files", maxIncluded))
	}
	f := p.files.read(file)
	if f.Err != nil {
		return because(CodeFileUnreadable, f.Err, "included file "+file+" cannot be read: "+reason(f.Err))
	}
	p.included++
	p.file(file, f.Text)
	return nil
}

// file reads one file of the configuration.
func (p *parser) file(file string, text []byte) {
	before := p.path
	p.path = file
	p.including = append(p.including, file)
	defer func() {
		p.path = before
		p.including = p.including[:len(p.including)-1]
	}()
	for _, s := range scan(string(text), p.all) {
		switch name, _, _ := splitDirective(trimLeft(s.head.text())); {
		case s.virtual && isCheckBlock(name):
			readCheckBlock(p, s)
		case s.virtual:
			p.virtual(s)
		default:
			p.globalLine(s.head)
		}
		if p.stopped() {
			return
		}
	}
	adviseFile(p, text)
}

// hintInclude is about an include line in the form of other programs.
func hintInclude(body string) string {
	value := strings.TrimLeft(strings.TrimPrefix(body, "include"), blanks+":=")
	value = strings.TrimRight(value, blanks+";")
	if value == "" {
		value = "conf.d/*.cf"
	}
	return "write include = " + value
}
