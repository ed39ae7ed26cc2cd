package conf

import "strings"

// hintUnknown suggests the meaning of a line that is no directive in its place.
func hintUnknown(text string, block bool) string {
	body := trimLeft(text)
	name, value, equals := splitDirective(body)
	if hint := hintBytes(text); hint != "" {
		return hint
	}
	if body == "" {
		return "a line of five blanks or more is a part of the block: remove it or make it a comment"
	}
	if isVirtual(name) {
		return "a virtual line begins in the first column and has a \"=\": " + name + " = ADDRESS:PORT"
	}
	row := lookup(name)
	if row < 0 {
		return hintName(body)
	}
	d := &directives[row]
	_, fits := d.argument(value, equals)
	switch {
	case block && fits && d.allowed(true):
		return "in a block everything from # to the end of the line is a comment, also inside quotes"
	case block && !d.allowed(true):
		return name + " is a global directive: put it in the first column, outside virtual blocks"
	case !block && !d.allowed(false) && body != text:
		return "the block ended before this line: an empty line or one with less than four blanks ends it"
	case !block && !d.allowed(false):
		return name + " belongs to a virtual block: indent it by four blanks or a tab"
	case !fits && !equals && name == "include":
		return hintInclude(body)
	case !fits && !equals:
		return "write " + name + " = VALUE"
	case !fits:
		return `the value has to be in double quotes: ` + name + `="..."`
	case body != text && !block:
		return "a global directive begins in the first column"
	}
	return ""
}

// hintBytes recognizes characters that look like ASCII ones.
func hintBytes(text string) string {
	switch {
	case strings.HasPrefix(text, "\ufeff"):
		return "the file begins with a byte order mark: save it without"
	case strings.ContainsAny(text, "“”„‟«»‘’"):
		return `these are typographic quotes: write "..."`
	case strings.Contains(text, "\u00a0"):
		return "there is a no-break space in this line: write plain blanks"
	}
	return ""
}

// hintName suggests a directive for a line whose first word is none.
func hintName(body string) string {
	name := nearest(body)
	switch {
	case name == "":
		return ""
	case strings.EqualFold(firstWord(body), name):
		return "directives are in lower case: " + name
	}
	return "did you mean " + name + "?"
}

func firstWord(body string) string {
	if end := strings.IndexAny(body, blanks+"="); end >= 0 {
		return body[:end]
	}
	return body
}

// nearest is the directive that is most similar to a line's first word, "" if none
// is similar.
func nearest(body string) string {
	name := strings.ToLower(firstWord(body))
	best, least := "", min(3, len(name)/2)
	for _, candidate := range names() {
		if d := editDistance(name, candidate, least); d < least {
			best, least = candidate, d
		}
	}
	return best
}

func names() []string {
	all := []string{"virtual", "virtual6"}
	for _, d := range directives {
		all = append(all, d.name)
	}
	return all
}

// editDistance is the number of letters to change, add or omit to turn a into b, at
// most limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// hintOf suggests the cure for a wrong value.
func hintOf(name, value string) string {
	if hint := hintBytes(value); hint != "" {
		return hint
	}
	if name == "virtual" && severalAddresses(value) {
		return hintSeveral
	}
	if name == "virtual" {
		return "write ADDRESS:PORT, or a number for a firewall mark; virtual6 takes [ADDRESS]:PORT"
	}
	if row := lookup(name); row >= 0 && directives[row].hint != nil {
		return directives[row].hint(value)
	}
	return ""
}

// hintYesNo suggests yes or no for any other word.
func hintYesNo(value string) string {
	switch {
	case strings.Contains(value, "#"):
		return "no comment may follow yes or no: give it a line of its own"
	case strings.HasSuffix(value, "\r"):
		return "the line has a DOS line end, which is part of the value"
	case trimRight(value) != value:
		return "there are blanks at the end of the line, which are part of the value"
	case strings.Contains(value, `"`):
		return "without quotes"
	}
	return "exactly yes or no, in lower case"
}

func hintReal(value string) string {
	switch {
	case strings.Contains(value, " -> "):
		return "no blanks around ->"
	case strings.Count(value, `"`) == 1 || strings.Count(value, `"`) == 3:
		return "a quote is missing; a # in the line begins a comment, also inside quotes"
	case strings.Count(value, `"`) == 2:
		return `request and receive come together: "REQUEST", "RECEIVE"`
	case strings.Contains(value, `"`):
		return `one comma or blank directly after the first quoted text: "REQUEST", "RECEIVE"`
	}
	return "write ADDRESS:PORT gate|masq|ipip [WEIGHT]"
}

func hintFallback(value string) string {
	switch {
	case strings.Contains(value, "://"):
		return "an address or host name, no URL"
	case strings.Contains(value, "#"):
		return "no comment may follow a global fallback: give it a line of its own"
	}
	return "write ADDRESS:PORT [gate|masq|ipip]"
}
