package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// A section is a part of the example file, with the directives that it shows first.
type section struct {
	title string
	lines []exampleLine
}

// An exampleLine is the first line of the example with a directive.
type exampleLine struct {
	directive string
	text      string // without indentation and comment sign
}

var (
	sectionTitle  = regexp.MustCompile(`^### (.*)`)
	directiveLine = regexp.MustCompile(`^ *#?(([a-z0-9]+) *=.*)`)
)

// readExample returns the sections of ldirectord.cf.example. It fails if a directive is in
// none of them, unless it is gone.
func readExample(text string) ([]section, error) {
	missing := map[string]bool{"virtual": true, "virtual6": true, "check": true}
	for _, d := range conf.Directives() {
		missing[d.Name] = !d.Gone
	}
	var sections []section
	continued := false // a title goes on in the next line
	for line := range strings.SplitSeq(text, "\n") {
		if title := sectionTitle.FindStringSubmatch(line); title != nil {
			if !continued {
				sections = append(sections, section{title: shortTitle(title[1])})
			}
			continued = true
			continue
		}
		continued = false
		if m := directiveLine.FindStringSubmatch(line); m != nil && missing[m[2]] && len(sections) > 0 {
			missing[m[2]] = false
			last := &sections[len(sections)-1]
			last.lines = append(last.lines, exampleLine{m[2], m[1]})
		}
	}
	for name, absent := range missing {
		if absent {
			return nil, fmt.Errorf("there is no line with %s", name)
		}
	}
	return sections, nil
}

// shortTitle is a title without what explains it.
func shortTitle(title string) string {
	title = strings.TrimPrefix(title, "+ ") // not in the original
	title, _, _ = strings.Cut(title, ":")
	title, _, _ = strings.Cut(title, " (")
	title, _, _ = strings.Cut(title, ",")
	return title
}
