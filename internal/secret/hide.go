package secret

import (
	"regexp"
	"strings"
)

// userinfo is the user and the password in a URL.
var userinfo = regexp.MustCompile(`(://[^/\s:@"?]*):[^/\s@"?]+@`)

// hideUserinfo returns text without the passwords of the URLs in it.
func hideUserinfo(text string) string {
	if !strings.Contains(text, "://") || !strings.Contains(text, "@") {
		return text
	}
	return userinfo.ReplaceAllString(text, "$1:"+Mask+"@")
}

// Hide returns text from any source without the values of queries and the passwords
// in URLs. A query ends at a blank or a quote.
func Hide(text string) string {
	text = hideUserinfo(text)
	if strings.IndexByte(text, '?') < 0 || strings.IndexByte(text, '=') < 0 {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := strings.IndexAny(rest, " \t\r\n\"'<>`\\")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString("?" + hideValues(rest[:end]))
		text = rest[end:]
	}
}

// hideValues masks the values of a query and keeps a fragment.
func hideValues(query string) string {
	var b strings.Builder
	for query != "" {
		parameter, separator := query, ""
		if end := strings.IndexAny(query, "&;"); end >= 0 {
			parameter, separator = query[:end], query[end:end+1]
		}
		query = query[len(parameter)+len(separator):]
		name, value, _ := strings.Cut(parameter, "=")
		b.WriteString(parameter[:len(parameter)-len(value)])
		if value != "" && len(name) < len(parameter) {
			b.WriteString(Mask)
		} else {
			b.WriteString(value)
		}
		b.WriteString(separator)
	}
	return b.String()
}

// values iterates over the parameters of a request's query.
func (r Request) values(yield func(name, value string) bool) {
	_, query, _ := strings.Cut(string(r), "?")
	for parameter := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		if name, value, found := strings.Cut(parameter, "="); found && value != "" && !yield(name, value) {
			return
		}
	}
}

// Named reports whether a name suggests a secret: the name of a header, a parameter
// or a word in a configuration.
func Named(name string) bool { return secretName.MatchString(name) }

var secretName = regexp.MustCompile(`(?i)auth|cookie|token|key|secret|pass|pw|cred|session|sign?ature|^sig$`)
