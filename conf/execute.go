package conf

import (
	"slices"
	"strings"
)

// setExecute is execute = FILE, repeatable: another instance beside this one. The
// value remains as written: a shell reads it, as in the original.
func setExecute(at *location, value string) error {
	value = trimRight(value)
	words, plain := ShellWords(value)
	if plain && len(words) == 0 {
		return nil
	}
	if !slices.ContainsFunc(at.config.Execute, func(other string) bool {
		others, ok := ShellWords(other)
		return other == value || plain && ok && slices.Equal(others, words)
	}) {
		at.config.Execute = append(at.config.Execute, value)
	}
	at.adviseExecute(words, plain)
	return nil
}

func (at *location) adviseExecute(words []string, plain bool) {
	switch {
	case !at.all:
	case !plain:
		at.advise(at.line, CodeExecuteFile, "execute is read by a shell, and this value is more than a name to it: the file is not looked at",
			`put a name with special characters in single quotes: execute = 'FILE'`)
	case len(words) > 1:
		at.advise(at.line, CodeExecuteFile, "execute names one file; this is "+strings.Join(words, " and "),
			"repeat the directive for another file, put a name with blanks in quotes, and give a comment a line of its own")
	default:
		if err := at.opts.Startable(words[0]); err != nil {
			at.advise(at.line, CodeExecuteFile, "the daemon of execute = "+words[0]+" cannot be started: "+err.Error(), "ldirectord "+words[0]+" check")
		}
	}
}

// ShellWords splits s as a POSIX shell does (XCU 2.2): at blanks without quotes,
// and without the quotes. ok is false for text that only a shell can resolve:
// variables, patterns, commands, or an unclosed quote.
func ShellWords(s string) (words []string, ok bool) {
	var word strings.Builder
	begun := false // a word can be empty: ""
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for s != "" {
		c := s[0]
		if isBlank(c) {
			end()
			s = s[1:]
			continue
		}
		text, rest, fine := cutShellPart(s, begun)
		if !fine {
			return nil, false
		}
		word.WriteString(text)
		begun, s = true, rest
	}
	end()
	return words, true
}

// cutShellPart cuts a quoted text or one character off s.
func cutShellPart(s string, inWord bool) (text, rest string, ok bool) {
	switch c := s[0]; {
	case c == '\'':
		return strings.Cut(s[1:], "'")
	case c == '"':
		return cutDoubleQuoted(s[1:])
	case c == '\\' && len(s) > 1:
		return s[1:2], s[2:], true
	case strings.IndexByte("\\$`|&;<>()*?[{", c) >= 0, !inWord && strings.IndexByte("~#", c) >= 0:
		return "", s, false
	}
	return s[:1], s[1:], true
}

// cutDoubleQuoted cuts s at the closing quote. A backslash is literal unless the
// next character would be special.
func cutDoubleQuoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '$' || c == '`':
			return "", s, false
		case c == '\\' && i+1 < len(s) && strings.IndexByte("\\\"$`", s[i+1]) >= 0:
			i++
		}
		b.WriteByte(s[i])
	}
	return "", s, false
}
