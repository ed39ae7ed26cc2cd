package importer

import (
	"regexp"
	"strings"
)

// commandWords takes a command of keepalived apart as keepalived does: blanks separate words, quotes
// of both kinds and backslashes keep them together. No shell has a part in it.
func commandWords(text string) (words []string) {
	var word strings.Builder
	begun, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			begun = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, begun = c, true
		case c == ' ' || c == '\t':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

var plainWord = regexp.MustCompile(`^[0-9A-Za-z_./:=,@%+-]+$`)

// shellLine is words as a shell takes them for the same words. ok is false if a line of a
// configuration cannot have them.
func shellLine(words []string) (line string, ok bool) {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if !plainWord.MatchString(word) {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	line = strings.Join(quoted, " ")
	return line, len(words) == 0 || expressible(line)
}
