package conf

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/ldirectord/ldirectord/internal/similar"
)

// hintUnknown suggests the meaning of a line without a directive of its place.
func hintUnknown(l line, block bool) string {
	text := l.text()
	body := trimLeft(text)
	name, value, equals := splitDirective(body)
	if hint := cmp.Or(hintBytes(text), hintForeign(body)); hint != "" {
		return hint
	}
	if body == "" {
		return "a line of five blanks or more is a part of the block: remove it or make it a comment"
	}
	if isVirtual(name) {
		return "a virtual line begins in the first column and has a \"=\": " + name + " = ADDRESS:PORT"
	}
	if isCheckBlock(name) {
		return "a check block begins in the first column with check = NAME"
	}
	row := lookup(name)
	if row < 0 {
		return hintNoDirective(l, block)
	}
	d := &directives[row]
	_, fits := d.argument(value, equals)
	switch {
	case block && fits && d.allowed(true):
		return "in a block everything from # to the end of the line is a comment, also inside quotes"
	case block && !d.allowed(true):
		return name + " is a global directive: put it in the first column, outside virtual blocks"
	case !block && !d.allowed(false) && body != text && !l.block:
		return "no block has begun in this file before this line: " + hintBegin
	case !block && !d.allowed(false) && body != text:
		return "the block ended before this line: an empty line or one with less than four blanks ends it"
	case !block && !d.allowed(false):
		return name + " belongs to a virtual block: indent it by four blanks or a tab"
	case !fits && !equals && name == "include":
		return hintInclude(body)
	case !fits && !equals:
		return "write " + name + " = VALUE"
	case !fits && strings.Count(value, `"`) == 1:
		return `a quote is missing: ` + name + `="..."`
	case !fits:
		return `the value has to be in double quotes: ` + name + `="..."`
	case body != text && !block:
		return "a global directive begins in the first column"
	}
	return ""
}

const hintBegin = "a block begins with virtual = ADDRESS:PORT in the first column"

// hintForeign recognizes the syntax of other programs' files.
func hintForeign(body string) string {
	body = strings.TrimRight(body, blanks)
	switch {
	case body == "":
		return ""
	case body[0] == '[' && body[len(body)-1] == ']':
		return "the file has no sections: a directive for all is in the first column, and " + hintBegin
	case strings.Trim(body, "{};") == "" || strings.HasSuffix(body, "{"):
		return "the file has no braces: " + hintBegin + ", and an empty line ends it"
	case strings.HasPrefix(body, "//"), body[0] == ';', strings.HasPrefix(body, "/*"):
		return "a comment begins with #"
	}
	return ""
}

// hintNoDirective suggests the meaning of a line whose first word is no directive.
func hintNoDirective(l line, block bool) string {
	body := trimLeft(l.text())
	_, _, equals := splitDirective(body)
	hint := cmp.Or(hintName(body), foreignNames[strings.ToLower(firstWord(body))])
	switch {
	case hint != "":
		return hint
	case l.comment && !equals:
		return "the line before is a comment: if this is a part of it, begin it with #"
	case l.breaks > 0:
		return fmt.Sprintf("a line in the first column, as this one, ends the block of line %d", l.breaks)
	case !block && l.opens:
		return hintBegin
	}
	return ""
}

// foreignNames are hints for the words of other programs.
var foreignNames = map[string]string{
	"weight":              "the weight is in the line of the real server: real = ADDRESS:PORT gate 5",
	"lb_kind":             "the forwarding method is in the line of the real server: real = ADDRESS:PORT gate",
	"lb_algo":             "did you mean scheduler?",
	"lvs_sched":           "did you mean scheduler?",
	"balance":             "did you mean scheduler?",
	"real_server":         "did you mean real?",
	"server":              "did you mean real?",
	"backend":             "did you mean real?",
	"virtual_server":      "did you mean virtual?",
	"sorry_server":        "did you mean fallback?",
	"persistence_timeout": "did you mean persistent?",
	"delay_loop":          "did you mean checkinterval?",
	"interval":            "did you mean checkinterval?",
	"retry":               "did you mean failurecount?",
	"misc_path":           "did you mean checkcommand?",
}

// hintBytes recognizes characters that look like ASCII ones.
func hintBytes(text string) string {
	switch {
	case strings.HasPrefix(text, "\ufeff"):
		return "the file begins with a byte order mark: save it without"
	case strings.Contains(text, "\x00"):
		return "there are NUL characters in this line, as in a file in UTF-16: save the file in ASCII or UTF-8"
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

// nearest is the directive most similar to a line's first word, "" if none
// is similar.
func nearest(body string) string {
	return similar.Nearest(strings.ToLower(firstWord(body)), names())
}

func names() []string {
	all := []string{"check", "virtual", "virtual6"}
	for _, d := range directives {
		all = append(all, d.name)
	}
	return all
}

// hintOf suggests the cure for a wrong value.
func hintOf(name, value string) string {
	if hint := hintBytes(value); hint != "" {
		return hint
	}
	if name == "virtual" {
		return hintVirtual(value)
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

// hintVirtual suggests the cure for a wrong address of a virtual service.
func hintVirtual(value string) string {
	switch {
	case severalAddresses(value):
		return hintSeveral
	case strings.HasPrefix(value, `"`):
		return "without quotes: virtual = ADDRESS:PORT"
	case strings.Contains(value, "://"):
		return "an address and a port, no URL"
	}
	return "write ADDRESS:PORT, or a number for a firewall mark; virtual6 takes [ADDRESS]:PORT"
}

// foreignMethods are other names of the forwarding methods.
var foreignMethods = map[string]string{
	"nat": "masq", "masquerade": "masq", "masquerading": "masq", "gatewaying": "gate", "-m": "masq", "-g": "gate", "-i": "ipip", "dr": "gate", "direct": "gate", "route": "gate", "dsr": "gate", "gateway": "gate", "tun": "ipip", "tunnel": "ipip",
}

var negativeWeight = regexp.MustCompile(`(gate|masq|ipip)[ \t]+-[0-9]`)

// checkWithBlanks finds a check= that cutCheckUse does not take, or a second one.
var checkWithBlanks = regexp.MustCompile(`[ \t]check([ \t]+=|=[ \t]|=[^ \t].*[ \t]check[ \t]*=)`)

func hintReal(value string) string {
	words := strings.Fields(strings.ToLower(value))
	if len(words) > 1 {
		if method := cmp.Or(foreignMethods[words[1]], foreignMethods[strings.Trim(words[1], "-")]); method != "" {
			return words[1] + " is called " + method + " here"
		}
	}
	switch {
	case checkWithBlanks.MatchString(value):
		return "one check=NAME, without blanks around the =; alsocheck in the block adds more checks"
	case strings.HasPrefix(value, `"`):
		return "no quotes around the address: real = ADDRESS:PORT gate|masq|ipip [WEIGHT]"
	case negativeWeight.MatchString(value):
		return "a weight is not negative: 0 gives the real server no new connections"
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
