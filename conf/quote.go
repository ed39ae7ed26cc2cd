package conf

import (
	"regexp"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

func maskCommand(value string) string { return secret.Command(value).String() }

func maskURL(value string) string { return secret.URL(value).String() }

func maskText(value string) string { return secret.Text(value).String() }

// assignment is a word with the name of a secret, and its value.
var assignment = regexp.MustCompile(`(?i)(\w*(?:passw|secret|token|api_?key)\w*\s*[=:]\s*)\S.*`)

// quotable is a line in the form that a problem may quote. The log has more readers
// than the file. A line without a directive may hold a secret: anything that looks
// like one is masked.
func quotable(text string) string {
	end := len(text) - len(trimLeft(text))
	for end < len(text) && (isAlnum(text[end]) || text[end] == '_' || text[end] == '-') {
		end++
	}
	if mask := maskOf(trimLeft(text[:end])); mask != nil {
		value := strings.TrimLeft(trimRight(text[end:]), blanks+"=:")
		shown, after := trimRight(text), text[len(trimRight(text)):]
		return strings.TrimSuffix(shown, value) + mask(value) + after
	}
	return secret.Hide(assignment.ReplaceAllString(text, "${1}"+secret.Mask))
}

// firstOnly is the name of a check block, without what may be the arguments of a use.
func firstOnly(value string) string {
	name, _, more := strings.Cut(value, " ")
	if more {
		name += " …"
	}
	return name
}

// maskOf returns the mask for the value behind the first word of a line, nil for a
// value without secrets. An unknown word may be a misspelt one.
func maskOf(name string) func(string) string {
	if isCheckBlock(name) {
		return firstOnly
	}
	if row := lookup(name); row >= 0 {
		return directives[row].mask
	}
	if row := lookup(nearest(name)); row >= 0 && directives[row].mask != nil {
		return directives[row].mask
	}
	if secret.Named(name) {
		return maskText
	}
	return nil
}
