package conf

import (
	"regexp"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

func maskCommand(value string) string { return secret.Command(value).String() }

func maskURL(value string) string { return secret.URL(value).String() }

func maskText(value string) string { return secret.Text(value).String() }

// assignment is a word that is named like a secret and what it is given.
var assignment = regexp.MustCompile(`(?i)(\w*(?:passw|secret|token|api_?key)\w*\s*[=:]\s*)\S.*`)

// quotable is a line as a problem may quote it. The log in which the problem
// ends up has more readers than the file. Of a line that is no directive it is
// not known whether it holds a secret: what looks like one is masked.
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

// maskOf is how the value is masked that follows the first word of a line, nil
// if it is not. A word that is no directive may be a misspelt one.
func maskOf(name string) func(string) string {
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
